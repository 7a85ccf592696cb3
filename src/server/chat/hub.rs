//! The runs that this process executes, and who listens to them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use super::{
    prompt::Assembled,
    reader::{Event, EventId},
};
use crate::{
    domain::{Growing, Growth, Message, Phase, RunId, RunSnapshot, RunUpdate, event},
    server::{
        llm::{Delta, Meter},
        markdown::{LiveText, diff_tail},
        store::{Claimed, Progress},
    },
};

/// Events that a reader may lag behind before it is sent away to come back for a snapshot.
const BACKLOG: usize = 32;

/// All live runs of this process.
#[derive(Default)]
pub(super) struct Hub {
    runs: Mutex<HashMap<RunId, Arc<LiveRun>>>,
    /// The runs that this process has claimed and not ended yet, live or not: their leases are renewed, and nobody in
    /// this process takes them for abandoned.
    held: Mutex<HashSet<RunId>>,
    /// Told whenever a run becomes live, for readers that came early.
    pub arrivals: Notify,
}

/// A run that is being executed here.
pub(super) struct LiveRun {
    pub claimed: Claimed,
    /// Cancelled when a person stops the run, or when it is no longer ours.
    pub stop: CancellationToken,
    /// The tokens of the prompt's sections, as JSON.
    sections: String,
    state: Mutex<LiveState>,
    events: broadcast::Sender<Event>,
}

/// What a live run has so far.
pub(super) struct LiveState {
    text: LiveText,
    /// The length of the text that was there before this run.
    before: usize,
    reasoning: LiveText,
    left_out: u32,
    /// Counts the tokens, so that it is known what an answer took that never comes to its end.
    meter: Meter,
    phase: Phase,
    /// What its readers were told last.
    told: RunSnapshot,
    sequence: u64,
    untold: bool,
    /// Whether something was taken back, so that no step leads from what was told to what there is now.
    taken_back: bool,
    unsaved: bool,
    save_delayed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under this lock costs its own run; the state is still whole for the others.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// Makes a claimed run live, with what its answer has already.
    pub fn insert(&self, claimed: Claimed, prompt: &Assembled) -> Arc<LiveRun> {
        let Assembled { text, reasoning, left_out, .. } = prompt;
        let mut state = LiveState::new(text, reasoning, *left_out);
        state.meter = Meter::new(&prompt.prompt);
        let run = Arc::new(LiveRun {
            stop: CancellationToken::new(),
            state: Mutex::new(state),
            sections: serde_json::to_string(&prompt.sections).unwrap_or_default(),
            events: broadcast::channel(BACKLOG).0,
            claimed,
        });
        lock(&self.runs).insert(run.claimed.id, run.clone());
        self.arrivals.notify_waiters();
        run
    }

    /// Forgets a run.
    pub fn remove(&self, run: RunId) {
        lock(&self.runs).remove(&run);
    }

    /// The live run with this id.
    pub fn get(&self, run: RunId) -> Option<Arc<LiveRun>> {
        lock(&self.runs).get(&run).cloned()
    }

    /// Notes that this process has claimed a run.
    pub fn hold(&self, run: RunId) {
        lock(&self.held).insert(run);
    }

    /// Notes that a run of this process has ended.
    pub fn release(&self, run: RunId) {
        lock(&self.held).remove(&run);
    }

    /// The runs that this process has claimed and not ended.
    pub fn held(&self) -> HashSet<RunId> {
        lock(&self.held).clone()
    }

    /// How many runs this process has claimed and not ended.
    pub fn count_held(&self) -> usize {
        lock(&self.held).len()
    }

    /// How many runs are live.
    pub fn len(&self) -> usize {
        lock(&self.runs).len()
    }

    /// All live runs.
    fn all(&self) -> Vec<Arc<LiveRun>> {
        lock(&self.runs).values().cloned().collect()
    }

    /// These could not be kept: they are due again.
    pub fn mark_unsaved(&self, progress: &[Progress]) {
        for run in progress.iter().filter_map(|progress| self.get(progress.run)) {
            run.mark_unsaved();
        }
    }

    /// All that was written since the last call and must be kept.
    pub fn take_unsaved(&self) -> Vec<Progress> {
        self.all().iter().filter_map(|run| run.take_unsaved()).collect()
    }

    /// Tells the readers of all live runs whether what they read cannot be saved at the moment.
    pub fn set_save_delayed(&self, delayed: bool) {
        for run in self.all() {
            let mut state = lock(&run.state);
            if state.save_delayed != delayed {
                state.save_delayed = delayed;
                state.untold = true;
                if run.is_heard() {
                    run.tell_locked(&mut state);
                }
            }
        }
    }
}

impl LiveRun {
    /// Changes the state; the readers hear of it with the next [`LiveRun::tell`].
    pub fn change(&self, change: impl FnOnce(&mut LiveState)) {
        let mut state = lock(&self.state);
        change(&mut state);
        state.untold = true;
    }

    /// Whether anybody listens.
    pub fn is_heard(&self) -> bool {
        self.events.receiver_count() > 0
    }

    /// Tells the readers what is new. Costs nothing where nobody listens.
    pub fn tell(&self) {
        if self.is_heard() {
            let mut state = lock(&self.state);
            self.tell_locked(&mut state);
        }
    }

    fn tell_locked(&self, state: &mut LiveState) {
        if let Some(update) = state.advance() {
            let id = EventId { epoch: self.claimed.epoch, sequence: state.sequence };
            let event = match std::mem::take(&mut state.taken_back) {
                true => Event::json(event::SNAPSHOT, Some(id), &state.told),
                false => Event::json(event::UPDATE, Some(id), &update),
            };
            // Nobody listening is not an error.
            let _ = self.events.send(event);
        }
    }

    /// Tells the readers that it is over.
    pub fn tell_end(&self, message: &Message) {
        let _ = self.events.send(Event::json(event::END, None, message));
    }

    /// Begins to listen: the state so far, unless the reader has it already, and what follows it.
    pub fn listen(&self, last: Option<EventId>) -> (Option<Event>, broadcast::Receiver<Event>) {
        let mut state = lock(&self.state);
        // First bring everybody up to date, so that the snapshot and the next update fit together.
        self.tell_locked(&mut state);
        let id = EventId { epoch: self.claimed.epoch, sequence: state.sequence };
        let snapshot = (last != Some(id)).then(|| Event::json(event::SNAPSHOT, Some(id), &state.told));
        (snapshot, self.events.subscribe())
    }

    /// The state so far, as a snapshot.
    pub fn snapshot(&self) -> RunSnapshot {
        let mut state = lock(&self.state);
        self.tell_locked(&mut state);
        state.told.clone()
    }

    /// All that the answer has. `refused` as in [`Meter::usage`].
    pub fn progress(&self, refused: bool) -> Progress {
        lock(&self.state).progress(self, refused)
    }

    /// What it has could not be saved: it is due again.
    fn mark_unsaved(&self) {
        lock(&self.state).unsaved = true;
    }

    /// The text of the answer so far.
    pub fn text(&self) -> String {
        lock(&self.state).text().to_owned()
    }

    /// Whether the answer has no word yet.
    pub fn is_blank(&self) -> bool {
        lock(&self.state).text().trim().is_empty()
    }

    fn take_unsaved(&self) -> Option<Progress> {
        let mut state = lock(&self.state);
        std::mem::take(&mut state.unsaved).then(|| state.progress(self, false))
    }
}

impl LiveState {
    /// The state of an answer that has this already.
    pub fn new(text: &str, reasoning: &str, left_out: u32) -> Self {
        let phase = Phase::Waiting { place: None };
        Self {
            text: LiveText::from(text),
            before: text.len(),
            reasoning: LiveText::from(reasoning),
            left_out,
            meter: Meter::default(),
            phase,
            told: RunSnapshot {
                phase,
                text: Growing::default(),
                reasoning: Growing::default(),
                left_out,
                save_delayed: false,
            },
            sequence: 0,
            untold: true,
            taken_back: false,
            unsaved: false,
            save_delayed: false,
        }
    }

    /// Counts what the model says.
    pub fn count(&mut self, delta: &Delta) {
        self.meter.take(delta);
    }

    /// Appends to the answer.
    pub fn push_text(&mut self, piece: &str) {
        self.phase = Phase::Streaming;
        self.text.push(piece);
        self.unsaved = true;
    }

    /// Appends to the thinking.
    pub fn push_reasoning(&mut self, piece: &str) {
        self.phase = Phase::Thinking;
        self.reasoning.push(piece);
        self.unsaved = true;
    }

    /// What this run has written as the answer was thinking.
    pub fn take_text_as_reasoning(&mut self) {
        let text = std::mem::take(&mut self.text);
        let (before, thoughts) = text.text().split_at(self.before);
        self.text = LiveText::from(before);
        self.push_reasoning(thoughts);
        self.told.text = Growing::default();
        self.taken_back = true;
    }

    /// Notes what the run does.
    pub const fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// Notes how many of the oldest messages the model did not read.
    pub const fn set_left_out(&mut self, left_out: u32) {
        self.left_out = left_out;
        self.unsaved = true;
    }

    /// The step from what was told last to what there is now.
    pub fn advance(&mut self) -> Option<RunUpdate> {
        if !std::mem::take(&mut self.untold) {
            return None;
        }
        self.sequence += 1;
        self.told.phase = self.phase;
        self.told.left_out = self.left_out;
        self.told.save_delayed = self.save_delayed;
        Some(RunUpdate {
            phase: self.phase,
            text: grow(&mut self.text, &mut self.told.text),
            reasoning: grow(&mut self.reasoning, &mut self.told.reasoning),
            left_out: self.left_out,
            save_delayed: self.save_delayed,
        })
    }

    /// What was told last.
    pub const fn told(&self) -> &RunSnapshot {
        &self.told
    }

    /// How many steps were told.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What the run does.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Marks that there is something to tell.
    pub const fn touch(&mut self) {
        self.untold = true;
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        self.text.text()
    }

    /// The thinking so far.
    pub fn reasoning(&self) -> &str {
        self.reasoning.text()
    }

    fn progress(&self, run: &LiveRun, refused: bool) -> Progress {
        let usage = self.meter.usage(refused);
        Progress {
            run: run.claimed.id,
            epoch: run.claimed.epoch,
            message: run.claimed.message_id,
            prompt_tokens: i64::from(usage.prompt),
            answer_tokens: i64::from(usage.answer),
            prompt_sections: run.sections.clone(),
            text: self.text.text().to_owned(),
            reasoning: self.reasoning.text().to_owned(),
            left_out: i64::from(self.left_out),
        }
    }
}

/// Renders what came since the last step, and brings what was told up to it. `None` where nothing came.
fn grow(live: &mut LiveText, told: &mut Growing) -> Option<Growth> {
    let step = live.step()?;
    let (keep, add) = diff_tail(&told.tail, &step.tail);
    told.done.push_str(&step.done);
    told.tail = step.tail;
    Some(Growth { done: step.done, keep, add })
}
