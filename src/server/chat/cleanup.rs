//! Clears away what is due: chats that were deleted, and rows that have expired.

use std::time::Duration;

use super::Chats;
use crate::server::store::{EXPIRING, StoreError};

/// Time between two looks for deleted chats.
const PERIOD: Duration = Duration::from_secs(60);
/// Looks between two deletions of what has expired: 10 minutes.
const EXPIRY_LOOKS: u32 = 10;
/// How long a deleted chat can be restored.
const RESTORE_SECONDS: i64 = 3_600;

/// The clearing task.
pub(super) async fn work(chats: Chats) {
    let mut ticks = tokio::time::interval(PERIOD);
    let mut looks = 0_u32;
    loop {
        ticks.tick().await;
        if let Err(error) = chats.remove_deleted().await {
            tracing::error!(%error, "deleted chats could not be removed; the next look goes on");
        }
        if looks.is_multiple_of(EXPIRY_LOOKS) {
            chats.clear_expired().await;
        }
        looks = looks.wrapping_add(1);
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

    /// Deletes what has expired, and the chats whose time has come by a rule. What fails is logged, and keeps nothing else.
    pub async fn clear_expired(&self) {
        for kind in &EXPIRING {
            if let Err(error) = self.0.store.delete_expired(kind, self.0.clock.now(), self.0.audit_days).await {
                tracing::error!(%error, what = kind.what, "what has expired could not be deleted; the next pass tries again");
            }
        }
        let before = self.0.clock.now().plus_seconds(-86_400 * i64::from(self.0.audit_days));
        if let Err(error) = self.0.store.delete_ended_sign_ins(before).await {
            tracing::error!(%error, "sign-ins that have ended could not be deleted; the next pass tries again");
        }
        if let Err(fault) = self.expire().await {
            tracing::error!(%fault, "chats could not be deleted by their age; the next pass tries again");
        }
    }
}
