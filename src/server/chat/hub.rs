//! The runs that this process executes, and who listens to them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

use super::{
    event::{Event, EventId},
    live::LiveState,
    prompt::Assembled,
};
use crate::{
    domain::{Message, RunId, RunSnapshot, event},
    server::{
        llm::Meter,
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

    /// All live runs, in the order of their chats, in which whoever stops several runs locks them too.
    fn all(&self) -> Vec<Arc<LiveRun>> {
        let mut all: Vec<_> = lock(&self.runs).values().cloned().collect();
        all.sort_by_key(|run| run.claimed.chat_id.uuid());
        all
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
        lock(&self.state).progress(&self.claimed, &self.sections, refused)
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
        std::mem::take(&mut state.unsaved).then(|| state.progress(&self.claimed, &self.sections, false))
    }
}
