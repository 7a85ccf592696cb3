//! DeferredWrites writes of read requests: the last use of a sign-in, and audit events for reads.
//!
//! A read request must not fail or wait because the database cannot be written. It queues the write in memory, and one
//! background task flushes the queue shortly after. Writes that fail stay in the queue, which is bounded, and are
//! retried.

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

/// Time between two flushes.
const FLUSH_INTERVAL: Duration = Duration::from_secs(5);
/// How long a read request waits at most for its audit event to be written.
const WRITE_TIMEOUT: Duration = Duration::from_millis(250);
/// Maximum number of queued last-use updates. Beyond it, a use is recorded with the next request of that sign-in.
const MAX_TOUCHES: usize = 10_000;
/// Maximum number of queued audit events. Beyond it, events are only logged.
const MAX_EVENTS: usize = 1_000;
/// Maximum rows per transaction.
const BATCH_SIZE: usize = 500;

/// The queue of deferred writes. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct DeferredWrites(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The last use of each sign-in, with its user.
    touches: Mutex<HashMap<SignInId, (UserId, Timestamp)>>,
    events: Mutex<VecDeque<QueuedEvent>>,
    /// Wakes the task that flushes the queue.
    wakeup: Notify,
}

/// A queued audit event.
#[derive(Debug)]
struct QueuedEvent {
    user: UserId,
    event: DeferredEvent,
    meta: RequestMeta,
    /// Dropped once the event is written, which wakes the waiting request.
    _written: oneshot::Sender<()>,
}

/// A read that is recorded in the audit log.
#[derive(Debug)]
pub enum DeferredEvent {
    /// A member requested this path, which is for administrators only.
    Forbidden(String),
    /// A user downloads their data export.
    Download,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DeferredWrites {
    /// Queues a last-use update.
    pub fn touch(&self, sign_in: SignInId, user: UserId, now: Timestamp) {
        let mut touches = lock(&self.0.touches);
        if touches.len() < MAX_TOUCHES || touches.contains_key(&sign_in) {
            touches.insert(sign_in, (user, now));
        }
    }

    /// The last use of a sign-in, if it is not written yet.
    pub fn last_use(&self, sign_in: SignInId) -> Option<Timestamp> {
        lock(&self.0.touches).get(&sign_in).map(|(_, at)| *at)
    }

    /// Queues an audit event and waits briefly until it is written.
    pub async fn queue_event(&self, user: UserId, event: DeferredEvent, meta: &RequestMeta) {
        let (sender, written) = oneshot::channel();
        {
            let mut events = lock(&self.0.events);
            if events.len() >= MAX_EVENTS {
                tracing::error!(%user, ?event, "the queue of deferred writes is full; an audit event is only logged");
                return;
            }
            events.push_back(QueuedEvent { user, event, meta: meta.clone(), _written: sender });
        }
        self.0.wakeup.notify_one();
        // On timeout the event stays queued.
        let _ = timeout(WRITE_TIMEOUT, written).await;
    }

    /// The next batch of last-use updates. It has at most one per user, so the transaction never locks one of a user's
    /// sign-ins while it waits for another, and is ordered by id, so all instances lock in the same order.
    fn next_touches(&self) -> Vec<(SignInId, Timestamp)> {
        let touches = lock(&self.0.touches);
        let mut people = HashSet::new();
        let one_each = touches.iter().filter(|(_, (user, _))| people.insert(*user)).take(BATCH_SIZE);
        let mut next: Vec<_> = one_each.map(|(sign_in, (_, at))| (*sign_in, *at)).collect();
        next.sort_by_key(|(sign_in, _)| sign_in.uuid());
        next
    }

    /// Removes written updates from the queue. A newer one of the same sign-in stays.
    fn remove_touches(&self, written: &[(SignInId, Timestamp)]) {
        let mut touches = lock(&self.0.touches);
        for (sign_in, at) in written {
            if touches.get(sign_in).is_some_and(|(_, queued)| queued == at) {
                touches.remove(sign_in);
            }
        }
    }
}

impl Accounts {
    /// Queues an audit event for a read and waits briefly until it is written.
    pub async fn defer_audit(&self, user: UserId, event: DeferredEvent, meta: &RequestMeta) {
        self.deferred.queue_event(user, event, meta).await;
    }

    /// Flushes the queue.
    ///
    /// # Errors
    /// Database errors. On a transient error the unwritten rest stays queued for the next flush.
    pub async fn write_deferred(&self) -> Result<(), Fault> {
        while let Some(event) = { lock(&self.deferred.0.events).pop_front() } {
            if let Err(error) = self.write_event(&event).await {
                if error.is_transient() {
                    lock(&self.deferred.0.events).push_front(event);
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
            if !written.as_ref().is_err_and(|error| error.is_transient()) {
                self.deferred.remove_touches(&touches);
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

    async fn write_event(&self, queued: &QueuedEvent) -> Result<(), StoreError> {
        let QueuedEvent { user, event, meta, .. } = queued;
        let mut tx = self.store.write().await?;
        match event {
            DeferredEvent::Forbidden(path) => {
                if self.limits.should_record_forbidden_access(&mut tx, *user).await? {
                    let (action, outcome) = (AuditAction::Overstep, Outcome::Refused);
                    let event = AuditEvent { actor: Some(*user), subject: Some(*user), action, outcome, detail: path };
                    meta.record(&mut tx, &self.clock, &event).await?;
                }
            }
            DeferredEvent::Download => meta.record_own(&mut tx, &self.clock, *user, AuditAction::DownloadData).await?,
        }
        tx.commit().await
    }

    /// Flushes the queue periodically until `shutdown`, and then once more.
    pub async fn run_deferred_writer(self, shutdown: CancellationToken) {
        loop {
            let is_stopping = tokio::select! {
                () = shutdown.cancelled() => true,
                () = self.deferred.0.wakeup.notified() => false,
                () = sleep(FLUSH_INTERVAL) => false,
            };
            if let Err(fault) = self.write_deferred().await {
                tracing::warn!(%fault, "cannot write deferred events; retrying later");
            }
            if is_stopping {
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
    fn last_use_updates_are_bounded_and_batched_one_per_user_in_order() {
        let deferred = DeferredWrites::default();
        let at = Timestamp::from_micros;
        for (sign_in, user) in [(3, 1), (2, 1), (9, 2), (5, 3)] {
            deferred.touch(SignInId::from_uuid(id(sign_in)), UserId::from_uuid(id(user)), at(1));
        }
        let next = deferred.next_touches();
        assert_eq!(next.len(), 3, "one of each");
        assert!(next.is_sorted_by_key(|(sign_in, _)| sign_in.uuid()));
        let later = next[0].0;
        deferred.touch(later, UserId::from_uuid(id(7)), at(2));
        deferred.remove_touches(&next);
        assert_eq!(deferred.last_use(later), Some(at(2)), "what came meanwhile stays");
        assert_eq!(deferred.next_touches().len(), 2);
        for sign_in in 0..20_000 {
            deferred.touch(SignInId::from_uuid(id(1_000 + sign_in)), UserId::from_uuid(id(sign_in)), at(3));
        }
        assert_eq!(lock(&deferred.0.touches).len(), MAX_TOUCHES);
        deferred.touch(later, UserId::from_uuid(id(7)), at(4));
        assert_eq!(deferred.last_use(later), Some(at(4)), "one that is known is always noted");
        assert_eq!(deferred.next_touches().len(), BATCH_SIZE);
    }

    #[tokio::test]
    async fn queued_audit_events_are_bounded() {
        let deferred = DeferredWrites::default();
        for _ in 0..MAX_EVENTS {
            let (sender, _) = oneshot::channel();
            let (user, meta) = (UserId::from_uuid(id(1)), RequestMeta::default());
            lock(&deferred.0.events).push_back(QueuedEvent {
                user,
                event: DeferredEvent::Download,
                meta,
                _written: sender,
            });
        }
        deferred.queue_event(UserId::from_uuid(id(1)), DeferredEvent::Download, &RequestMeta::default()).await;
        assert_eq!(lock(&deferred.0.events).len(), MAX_EVENTS);
    }
}
