//! What reading leaves to be written: when a sign-in was last used, and what readers did that is written down.
//!
//! Reading neither fails nor waits where nothing can be written now. It leaves a note in memory, and one task writes the
//! notes down a little later. What cannot be written stays in memory, bounded, until it can.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::Accounts;
use crate::{
    domain::{AuditAction, Outcome, SignInId, Timestamp, UserId},
    server::{
        audit::{AuditEvent, RequestMeta},
        fault::Fault,
        store::StoreError,
    },
};

/// Time between two looks for what is to be written.
const PERIOD: Duration = Duration::from_secs(5);
/// How long a reader waits at most until what they did is written down.
const PATIENCE: Duration = Duration::from_millis(250);
/// Sign-ins whose use is remembered. The use of further ones is noted with their next request.
const TOUCHES: usize = 10_000;
/// Acts of readers that are remembered. Further ones are told to the log alone.
const NOTES: usize = 1_000;
/// Rows that are written in one transaction.
const SLICE: usize = 500;

/// What is to be written, shared by cloning.
#[derive(Debug, Clone, Default)]
pub(super) struct Deferred(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// When each sign-in was last used, and whose it is.
    touches: Mutex<HashMap<SignInId, (UserId, Timestamp)>>,
    notes: Mutex<VecDeque<Note>>,
    /// Wakes the task that writes.
    noted: Notify,
}

/// What a reader did.
#[derive(Debug)]
struct Note {
    user: UserId,
    reading: Reading,
    meta: RequestMeta,
    /// Dropped when it is written.
    _written: oneshot::Sender<()>,
}

/// Reading that is written down.
#[derive(Debug)]
pub enum Reading {
    /// A member tried to see at this path what only administrators may.
    Forbidden(String),
    /// A person downloads their data.
    Download,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deferred {
    /// Remembers that a sign-in is used.
    pub fn touch(&self, sign_in: SignInId, user: UserId, now: Timestamp) {
        let mut touches = lock(&self.0.touches);
        if touches.len() < TOUCHES || touches.contains_key(&sign_in) {
            touches.insert(sign_in, (user, now));
        }
    }

    /// When a sign-in was last used, if that is not written yet.
    pub fn last_use(&self, sign_in: SignInId) -> Option<Timestamp> {
        lock(&self.0.touches).get(&sign_in).map(|(_, at)| *at)
    }

    /// Remembers what a reader did, and waits a moment until it is written.
    pub async fn note(&self, user: UserId, reading: Reading, meta: &RequestMeta) {
        let (sender, written) = oneshot::channel();
        {
            let mut notes = lock(&self.0.notes);
            if notes.len() >= NOTES {
                tracing::error!(%user, ?reading, "an act is not written down: too many others could not be written yet");
                return;
            }
            notes.push_back(Note { user, reading, meta: meta.clone(), _written: sender });
        }
        self.0.noted.notify_one();
        // It is written soon, or when it can be.
        let _ = timeout(PATIENCE, written).await;
    }

    /// The next uses to be written: at most one of each person, so that this never holds one sign-in of theirs while it
    /// waits for another, and in the order of their ids, as on all instances.
    fn next_touches(&self) -> Vec<(SignInId, Timestamp)> {
        let touches = lock(&self.0.touches);
        let mut people = HashSet::new();
        let one_each = touches.iter().filter(|(_, (user, _))| people.insert(*user)).take(SLICE);
        let mut next: Vec<_> = one_each.map(|(sign_in, (_, at))| (*sign_in, *at)).collect();
        next.sort_by_key(|(sign_in, _)| sign_in.uuid());
        next
    }

    /// Forgets uses that are written. A later one of the same sign-in stays.
    fn forget_touches(&self, written: &[(SignInId, Timestamp)]) {
        let mut touches = lock(&self.0.touches);
        for (sign_in, at) in written {
            if touches.get(sign_in).is_some_and(|(_, noted)| noted == at) {
                touches.remove(sign_in);
            }
        }
    }
}

impl Accounts {
    /// Has the audit record what a reader did, and waits a moment until that is written.
    pub async fn defer_audit(&self, user: UserId, reading: Reading, meta: &RequestMeta) {
        self.deferred.note(user, reading, meta).await;
    }

    /// Writes down what readers have left so far.
    ///
    /// # Errors
    /// As the database says. Where it may write again later, what is not written is kept for the next time.
    pub async fn write_deferred(&self) -> Result<(), Fault> {
        while let Some(note) = { lock(&self.deferred.0.notes).pop_front() } {
            if let Err(error) = self.write_note(&note).await {
                if error.is_passing() {
                    lock(&self.deferred.0.notes).push_front(note);
                }
                return Err(error.into());
            }
        }
        loop {
            let touches = self.deferred.next_touches();
            if touches.is_empty() {
                return Ok(());
            }
            let written = self.write_touches(&touches).await;
            if !written.as_ref().is_err_and(|error| error.is_passing()) {
                self.deferred.forget_touches(&touches);
            }
            written?;
        }
    }

    async fn write_touches(&self, touches: &[(SignInId, Timestamp)]) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        for (sign_in, at) in touches {
            tx.touch_sign_in(*sign_in, *at).await?;
        }
        tx.commit().await
    }

    async fn write_note(&self, note: &Note) -> Result<(), StoreError> {
        let Note { user, reading, meta, .. } = note;
        let mut tx = self.store.write().await?;
        match reading {
            Reading::Forbidden(path) => {
                if self.limits.is_forbidden_access_recorded(&mut tx, *user).await? {
                    let (action, outcome) = (AuditAction::Overstep, Outcome::Refused);
                    let event = AuditEvent { actor: Some(*user), subject: Some(*user), action, outcome, detail: path };
                    meta.record(&mut tx, &self.clock, &event).await?;
                }
            }
            Reading::Download => meta.record_own(&mut tx, &self.clock, *user, AuditAction::DownloadData).await?,
        }
        tx.commit().await
    }

    /// Writes down what readers leave, until `shutdown`, and then once more.
    pub async fn watch_deferred(self, shutdown: CancellationToken) {
        loop {
            let stops = tokio::select! {
                () = shutdown.cancelled() => true,
                () = self.deferred.0.noted.notified() => false,
                () = sleep(PERIOD) => false,
            };
            if let Err(fault) = self.write_deferred().await {
                tracing::warn!(%fault, "what readers did cannot be written down yet");
            }
            if stops {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> uuid::Uuid {
        uuid::Uuid::from_u128(number)
    }

    #[test]
    fn uses_are_bounded_and_taken_one_of_each_person_in_order() {
        let deferred = Deferred::default();
        let at = Timestamp::from_micros;
        for (sign_in, user) in [(3, 1), (2, 1), (9, 2), (5, 3)] {
            deferred.touch(SignInId::from_uuid(id(sign_in)), UserId::from_uuid(id(user)), at(1));
        }
        let next = deferred.next_touches();
        assert_eq!(next.len(), 3, "one of each");
        assert!(next.is_sorted_by_key(|(sign_in, _)| sign_in.uuid()));
        let later = next[0].0;
        deferred.touch(later, UserId::from_uuid(id(7)), at(2));
        deferred.forget_touches(&next);
        assert_eq!(deferred.last_use(later), Some(at(2)), "what came meanwhile stays");
        assert_eq!(deferred.next_touches().len(), 2);
        for sign_in in 0..20_000 {
            deferred.touch(SignInId::from_uuid(id(1_000 + sign_in)), UserId::from_uuid(id(sign_in)), at(3));
        }
        assert_eq!(lock(&deferred.0.touches).len(), TOUCHES);
        deferred.touch(later, UserId::from_uuid(id(7)), at(4));
        assert_eq!(deferred.last_use(later), Some(at(4)), "one that is known is always noted");
        assert_eq!(deferred.next_touches().len(), SLICE);
    }

    #[tokio::test]
    async fn acts_that_cannot_be_written_are_bounded() {
        let deferred = Deferred::default();
        for _ in 0..NOTES {
            let (sender, _) = oneshot::channel();
            let (user, meta) = (UserId::from_uuid(id(1)), RequestMeta::default());
            lock(&deferred.0.notes).push_back(Note { user, reading: Reading::Download, meta, _written: sender });
        }
        deferred.note(UserId::from_uuid(id(1)), Reading::Download, &RequestMeta::default()).await;
        assert_eq!(lock(&deferred.0.notes).len(), NOTES);
    }
}
