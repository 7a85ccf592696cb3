//! Picks up what dead workers left behind.

use std::time::Duration;

use super::Chats;
use crate::server::fault::Fault;

/// Time between two sweeps. With the lease of 20 s, a killed server's answers are marked within 25 s.
const PERIOD: Duration = Duration::from_secs(5);
/// Age at which a queued run is taken for abandoned by whoever wrote it.
const QUEUED_SECONDS: i64 = 2;

/// The sweeping task.
pub(super) async fn work(chats: Chats) {
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        ticks.tick().await;
        if let Err(fault) = chats.sweep().await {
            tracing::error!(%fault, "the sweep failed; the next one tries again");
        }
    }
}

impl Chats {
    /// Marks the answers of dead workers as interrupted, and executes runs that nobody claimed.
    ///
    /// # Errors
    /// As the database says.
    pub async fn sweep(&self) -> Result<(), Fault> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let interrupted = tx.interrupt_expired(now).await?;
        let queued = tx.list_runs_queued_before(now.plus_seconds(-QUEUED_SECONDS)).await?;
        tx.commit().await?;
        if interrupted > 0 {
            tracing::warn!(count = interrupted, "answers of a stopped server were marked as interrupted");
        }
        for run in queued {
            self.execute(run);
        }
        Ok(())
    }
}
