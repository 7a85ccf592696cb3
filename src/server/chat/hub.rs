//! The registry of runs that this process executes, and of their readers.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::{
    event::{Event, EventId},
    live::LiveState,
    prompt::AssembledPrompt,
};
use crate::{
    domain::{Message, RunId, RunSnapshot, event},
    server::{
        llm::UsageMeter,
        store::{ClaimedRun, RunProgress},
    },
};

/// How many events a reader may lag behind before it has to reconnect and get a snapshot.
const EVENT_BUFFER: usize = 32;

/// All live runs of this process.
#[derive(Default)]
pub(super) struct Hub {
    runs: Mutex<HashMap<RunId, Arc<LiveRun>>>,
    /// The runs that this process has claimed and not ended, live or not. Their leases are renewed, and this process
    /// never treats them as abandoned.
    claims: Mutex<HashSet<RunId>>,
    /// The runs that readers wait for, because they arrived before the run became live. Each is cancelled once it is.
    awaited: Mutex<HashMap<RunId, Arc<CancellationToken>>>,
}

/// A reader that waits for a run to become live.
struct Waiter<'h> {
    hub: &'h Hub,
    run: RunId,
    live: Arc<CancellationToken>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut awaited = lock(&self.hub.awaited);
        // One reference is the map's, one is ours. A run of another process never becomes live here.
        let is_last = Arc::strong_count(&self.live) == 2;
        if is_last && awaited.get(&self.run).is_some_and(|live| Arc::ptr_eq(live, &self.live)) {
            awaited.remove(&self.run);
        }
    }
}

/// A run that is executed in this process.
pub(super) struct LiveRun {
    pub claimed: ClaimedRun,
    /// Cancelled when a user stops the run, or when this process has lost its claim.
    pub stop: CancellationToken,
    /// The tokens of the prompt's sections, as JSON.
    sections: String,
    state: Mutex<LiveState>,
    events: broadcast::Sender<Event>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic under this lock affects only its own run. The state is still consistent for the others.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// Registers a claimed run as live, with the content that its answer already has.
    pub fn insert(&self, claimed: ClaimedRun, prompt: &AssembledPrompt) -> Arc<LiveRun> {
        let AssembledPrompt { text, reasoning, truncated_messages, times, .. } = prompt;
        let mut state = LiveState::new(text, reasoning, *truncated_messages, *times);
        state.meter = UsageMeter::new(&prompt.prompt);
        let run = Arc::new(LiveRun {
            stop: CancellationToken::new(),
            state: Mutex::new(state),
            sections: serde_json::to_string(&prompt.sections).unwrap_or_default(),
            events: broadcast::channel(EVENT_BUFFER).0,
            claimed,
        });
        lock(&self.runs).insert(run.claimed.id, run.clone());
        if let Some(live) = lock(&self.awaited).remove(&run.claimed.id) {
            live.cancel();
        }
        run
    }

    /// Waits until the run is live in this process. Wakes only the readers of this run.
    pub async fn wait_until_live(&self, run: RunId) {
        let live = Arc::clone(lock(&self.awaited).entry(run).or_default());
        let waiter = Waiter { hub: self, run, live };
        // Registered before the check, so that a run that becomes live in between is not missed.
        if self.get(run).is_none() {
            waiter.live.cancelled().await;
        }
    }

    /// Unregisters a live run.
    pub fn remove(&self, run: RunId) {
        lock(&self.runs).remove(&run);
    }

    /// The live run with this id.
    pub fn get(&self, run: RunId) -> Option<Arc<LiveRun>> {
        lock(&self.runs).get(&run).cloned()
    }

    /// Records that this process has claimed a run.
    pub fn add_claim(&self, run: RunId) {
        lock(&self.claims).insert(run);
    }

    /// Records that a run of this process has ended.
    pub fn release_claim(&self, run: RunId) {
        lock(&self.claims).remove(&run);
    }

    /// The runs that this process has claimed and not ended.
    pub fn claims(&self) -> HashSet<RunId> {
        lock(&self.claims).clone()
    }

    /// The number of runs that this process has claimed and not ended.
    pub fn count_claims(&self) -> usize {
        lock(&self.claims).len()
    }

    /// The number of live runs.
    pub fn len(&self) -> usize {
        lock(&self.runs).len()
    }

    /// All live runs, ordered by chat. Stopping several runs locks them in the same order.
    fn all(&self) -> Vec<Arc<LiveRun>> {
        let mut all: Vec<_> = lock(&self.runs).values().cloned().collect();
        all.sort_by_key(|run| run.claimed.chat_id.uuid());
        all
    }

    /// Marks progress that could not be saved as unsaved again.
    pub fn mark_unsaved(&self, progress: &[RunProgress]) {
        for run in progress.iter().filter_map(|progress| self.get(progress.run)) {
            run.mark_unsaved();
        }
    }

    /// Takes the progress of all runs that have unsaved text.
    pub fn take_unsaved(&self) -> Vec<RunProgress> {
        self.all().iter().filter_map(|run| run.take_unsaved()).collect()
    }

    /// Notifies the readers of all live runs whether saving is delayed.
    pub fn set_save_delayed(&self, delayed: bool) {
        for run in self.all() {
            let mut state = lock(&run.state);
            if state.save_delayed != delayed {
                state.save_delayed = delayed;
                state.has_unpublished = true;
                if run.has_readers() {
                    run.publish_locked(&mut state);
                }
            }
        }
    }
}

impl LiveRun {
    /// Changes the state. Readers see it with the next [`LiveRun::publish`].
    pub fn update(&self, change: impl FnOnce(&mut LiveState)) {
        let mut state = lock(&self.state);
        change(&mut state);
        state.has_unpublished = true;
    }

    /// Whether the run has readers.
    pub fn has_readers(&self) -> bool {
        self.events.receiver_count() > 0
    }

    /// Sends the readers what is new. Does nothing if there are none.
    pub fn publish(&self) {
        if self.has_readers() {
            let mut state = lock(&self.state);
            self.publish_locked(&mut state);
        }
    }

    fn publish_locked(&self, state: &mut LiveState) {
        if let Some(update) = state.next_update() {
            let id = EventId { epoch: self.claimed.epoch, sequence: state.sequence };
            let event = match std::mem::take(&mut state.needs_snapshot) {
                true => Event::json(event::SNAPSHOT, Some(id), &state.published),
                false => Event::json(event::UPDATE, Some(id), &update),
            };
            // An error means that there are no readers.
            let _ = self.events.send(event);
        }
    }

    /// Sends the readers the finished message.
    pub fn publish_end(&self, message: &Message) {
        let _ = self.events.send(Event::json(event::END, None, message));
    }

    /// Subscribes to the run. Returns a snapshot, unless the reader is up to date, and the events after it.
    pub fn subscribe(&self, last: Option<EventId>) -> (Option<Event>, broadcast::Receiver<Event>) {
        let mut state = lock(&self.state);
        // Publish pending changes first, so that the snapshot and the next update fit together.
        self.publish_locked(&mut state);
        let id = EventId { epoch: self.claimed.epoch, sequence: state.sequence };
        let snapshot = (last != Some(id)).then(|| Event::json(event::SNAPSHOT, Some(id), &state.published));
        (snapshot, self.events.subscribe())
    }

    /// The state so far, as a snapshot.
    pub fn snapshot(&self) -> RunSnapshot {
        let mut state = lock(&self.state);
        self.publish_locked(&mut state);
        state.published.clone()
    }

    /// The progress of the answer, for the database. `refused` as in [`UsageMeter::usage`].
    pub fn progress(&self, refused: bool) -> RunProgress {
        lock(&self.state).progress(&self.claimed, &self.sections, refused)
    }

    /// Marks the progress as unsaved again.
    fn mark_unsaved(&self) {
        lock(&self.state).unsaved = true;
    }

    /// The text of the answer so far.
    pub fn text(&self) -> String {
        lock(&self.state).text().to_owned()
    }

    /// Whether the answer has no visible text yet.
    pub fn is_blank(&self) -> bool {
        lock(&self.state).text().trim().is_empty()
    }

    fn take_unsaved(&self) -> Option<RunProgress> {
        let mut state = lock(&self.state);
        std::mem::take(&mut state.unsaved).then(|| state.progress(&self.claimed, &self.sections, false))
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn waiting_for_a_run_leaves_nothing_behind() {
        let hub = Hub::default();
        let run = RunId::from_uuid(Uuid::from_u128(1));
        {
            let mut first = Box::pin(hub.wait_until_live(run));
            let mut second = Box::pin(hub.wait_until_live(run));
            assert!(first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none());
            drop(first);
            assert_eq!(lock(&hub.awaited).len(), 1, "the second one still waits");
        }
        assert!(lock(&hub.awaited).is_empty());
    }
}
