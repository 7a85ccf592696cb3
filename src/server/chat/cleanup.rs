//! Permanently removes deleted chats that can no longer be restored.

use futures::{FutureExt, future::BoxFuture};

use super::Chats;
use crate::{
    domain::JobKind,
    server::{
        fault::Fault,
        jobs::{Handler, Outcome, Policy, Run},
        store::StoreError,
    },
};

/// Seconds between two cleanups.
const CLEANUP_INTERVAL_SECONDS: i64 = 60;
/// Seconds for which a deleted chat can be restored.
const RESTORE_WINDOW_SECONDS: i64 = 3_600;

/// The scheduled job that removes deleted chats.
pub struct RemoveChats(pub Chats);

impl Handler for RemoveChats {
    fn policy(&self) -> Policy {
        Policy::new(JobKind::RemoveChats).every(CLEANUP_INTERVAL_SECONDS)
    }

    fn run<'a>(&'a self, _: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        async { self.0.remove_deleted().await.map(|_| Outcome::Done).map_err(Fault::from) }.boxed()
    }
}

impl Chats {
    /// Removes the chats that can no longer be restored. Returns the number of deleted rows.
    ///
    /// # Errors
    /// A database error; what was removed before it stays removed.
    pub async fn remove_deleted(&self) -> Result<u64, StoreError> {
        self.0.store.remove_chats_deleted_before(self.0.clock.now().plus_seconds(-RESTORE_WINDOW_SECONDS)).await
    }
}
