//! Picks up what dead workers left behind, and clears away what is due.

use std::time::Duration;

use super::Chats;
use crate::server::fault::Fault;

/// Time between two sweeps. With the lease of 20 s, a killed server's answers are marked within 25 s.
const PERIOD: Duration = Duration::from_secs(5);
/// Age at which a queued run is taken for abandoned by whoever wrote it.
const QUEUED_SECONDS: i64 = 2;
/// How long a deleted chat can be restored.
const RESTORE_SECONDS: i64 = 3_600;
/// Sweeps between two deletions of what has expired: sessions, throttles, chats. 10 minutes.
const EXPIRY_SWEEPS: u32 = 120;

/// The sweeping task.
pub(super) async fn work(chats: Chats) {
    let mut ticks = tokio::time::interval(PERIOD);
    let mut sweeps = 0_u32;
    loop {
        tokio::select! {
            () = chats.0.shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(fault) = chats.sweep().await {
            tracing::error!(%fault, "the sweep failed; the next one tries again");
        }
        if sweeps.is_multiple_of(EXPIRY_SWEEPS)
            && let Err(fault) = chats.clear_expired().await
        {
            tracing::error!(%fault, "what has expired could not be deleted; the next pass tries again");
        }
        sweeps = sweeps.wrapping_add(1);
    }
}

impl Chats {
    /// Marks the answers of dead workers as interrupted, executes runs that nobody claimed, and removes chats whose
    /// time to be restored is over.
    ///
    /// # Errors
    /// As the database says.
    pub async fn sweep(&self) -> Result<(), Fault> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let interrupted = tx.interrupt_expired(now).await?;
        let queued = tx.list_runs_queued_before(now.plus_seconds(-QUEUED_SECONDS)).await?;
        tx.delete_chats_deleted_before(now.plus_seconds(-RESTORE_SECONDS)).await?;
        tx.commit().await?;
        if interrupted > 0 {
            tracing::warn!(count = interrupted, "answers of a stopped server were marked as interrupted");
        }
        for run in queued {
            self.execute(run);
        }
        Ok(())
    }

    async fn clear_expired(&self) -> Result<(), Fault> {
        let mut tx = self.0.store.write().await?;
        tx.delete_expired(self.0.clock.now(), self.0.audit_days).await?;
        tx.commit().await?;
        self.expire().await
    }
}
