//! Clears away what is due: chats that were deleted, chats that are too old, and rows that have expired.

use futures::{FutureExt, future::BoxFuture};

use super::Chats;
use crate::{
    domain::JobKind,
    server::{
        fault::Fault,
        jobs::{Handler, Outcome, Policy, Run},
        store::{EXPIRING, StoreError},
    },
};

/// Seconds between two looks for deleted chats.
const DELETED_CHATS: i64 = 60;
/// Seconds between two looks for what is too old or has expired.
const OLD: i64 = 600;
/// Seconds for which a deleted chat can be restored.
const RESTORE_SECONDS: i64 = 3_600;

/// The schedule that removes deleted chats.
pub struct RemoveChats(pub Chats);

impl Handler for RemoveChats {
    fn policy(&self) -> Policy {
        Policy::new(JobKind::RemoveChats).every(DELETED_CHATS)
    }

    fn run<'a>(&'a self, _: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        async { self.0.remove_deleted().await.map(|_| Outcome::Done).map_err(Fault::from) }.boxed()
    }
}

/// The schedule that deletes chats by their age.
pub struct ApplyRetention(pub Chats);

impl Handler for ApplyRetention {
    fn policy(&self) -> Policy {
        Policy::new(JobKind::ApplyRetention).every(OLD)
    }

    fn run<'a>(&'a self, _: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        async { self.0.expire().await.map(|()| Outcome::Done) }.boxed()
    }
}

/// The schedule that deletes rows that have expired.
pub struct DeleteExpired(pub Chats);

impl Handler for DeleteExpired {
    fn policy(&self) -> Policy {
        Policy::new(JobKind::DeleteExpired).every(OLD)
    }

    fn run<'a>(&'a self, _: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        async { self.0.clear_expired().await.map(|()| Outcome::Done).map_err(Fault::from) }.boxed()
    }
}

impl Chats {
    /// Removes the chats whose time to be restored is over. Gives how many rows.
    ///
    /// # Errors
    /// As the database says; what was removed until then is gone.
    pub async fn remove_deleted(&self) -> Result<u64, StoreError> {
        self.0.store.remove_chats_deleted_before(self.0.clock.now().plus_seconds(-RESTORE_SECONDS)).await
    }

    /// Deletes what has expired. What fails keeps nothing else.
    ///
    /// # Errors
    /// The first fault of the database.
    pub async fn clear_expired(&self) -> Result<(), StoreError> {
        let (store, now) = (&self.0.store, self.0.clock.now());
        let mut done = Ok(());
        for kind in &EXPIRING {
            let deleted = store.delete_expired(kind, now, self.0.audit_days).await.map(|_| ());
            if let Err(error) = &deleted {
                tracing::warn!(%error, what = kind.what, "what has expired could not be deleted");
            }
            done = done.and(deleted);
        }
        let before = now.plus_seconds(-86_400 * i64::from(self.0.audit_days));
        done = done.and(store.delete_ended_sign_ins(before).await.map(|_| ()));
        done.and(store.remove_expired_exports(now).await)
    }
}
