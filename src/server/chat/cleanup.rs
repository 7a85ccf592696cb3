//! Removes chats for good whose time to be restored is over.

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

/// Seconds between two looks for deleted chats.
const DELETED_CHATS: i64 = 60;
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

impl Chats {
    /// Removes the chats whose time to be restored is over. Gives how many rows.
    ///
    /// # Errors
    /// As the database says; what was removed until then is gone.
    pub async fn remove_deleted(&self) -> Result<u64, StoreError> {
        self.0.store.remove_chats_deleted_before(self.0.clock.now().plus_seconds(-RESTORE_SECONDS)).await
    }
}
