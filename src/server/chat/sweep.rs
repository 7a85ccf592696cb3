//! Takes over the runs of dead workers.

use std::time::Duration;

use tokio::time::Instant;

use super::{Chats, writer::LEASE_SECONDS};
use crate::server::fault::Fault;

/// Time between two sweeps. With the lease of 20 s, the answers of a killed server are marked as interrupted within 25
/// s.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);
/// The age in seconds at which a queued run counts as abandoned by the process that inserted it.
const MIN_QUEUED_SECONDS: i64 = 2;
/// The maximum number of queued runs that one sweep takes over.
const MAX_QUEUED_RUNS: u32 = 200;

/// The sweep task.
pub(super) async fn run_loop(chats: Chats) {
    let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
    let mut outage = Outage::default();
    loop {
        ticks.tick().await;
        match chats.sweep_runs(!outage.is_recent()).await {
            Ok(()) => outage.record_success(),
            Err(fault) => tracing::error!(%fault, "the sweep failed; the next one will retry"),
        }
    }
}

/// Tracks when this process could not reach the database. The same outage may have affected other workers, which must
/// get the time to renew their leases before they are considered dead.
struct Outage {
    last_reached: Instant,
    ended_at: Option<Instant>,
}

impl Default for Outage {
    fn default() -> Self {
        Self { last_reached: Instant::now(), ended_at: None }
    }
}

impl Outage {
    /// Records a successful access.
    fn record_success(&mut self) {
        if self.last_reached.elapsed() > SWEEP_INTERVAL * 2 {
            self.ended_at = Some(Instant::now());
        }
        self.last_reached = Instant::now();
    }

    /// Whether the outage continues, or ended less than a lease duration ago.
    fn is_recent(&self) -> bool {
        let lease = Duration::from_secs(LEASE_SECONDS.unsigned_abs());
        self.last_reached.elapsed() > SWEEP_INTERVAL * 2
            || self.ended_at.is_some_and(|ended_at| ended_at.elapsed() < lease)
    }
}

impl Chats {
    /// Ends the runs of dead processes that used the same data folder, and executes unclaimed runs. Called once at
    /// startup, before requests are served.
    pub async fn recover_runs(&self) -> Result<(), Fault> {
        self.interrupt_dead_instances().await?;
        let mut tx = self.0.store.read().await?;
        let queued =
            tx.engine().list_claimable_runs(self.0.clock.now(), self.0.answers_per_person, MAX_QUEUED_RUNS).await?;
        drop(tx);
        self.execute_in_order(queued);
        Ok(())
    }

    async fn interrupt_dead_instances(&self) -> Result<(), Fault> {
        for dead in self.0.instance.list_dead() {
            let mut tx = self.0.store.write().await?;
            let count = tx.engine().interrupt_runs_of(dead.worker, self.0.clock.now()).await?;
            tx.commit().await?;
            if count > 0 {
                tracing::warn!(count, "marked the answers of a killed process as interrupted");
            }
            dead.remove_lock_file();
        }
        Ok(())
    }

    /// Marks the answers of dead workers as interrupted, and executes unclaimed runs.
    pub async fn sweep(&self) -> Result<(), Fault> {
        self.sweep_runs(true).await
    }

    async fn sweep_runs(&self, interrupt: bool) -> Result<(), Fault> {
        self.interrupt_dead_instances().await?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.read().await?;
        let has_expired = interrupt && tx.engine().has_expired_run(now).await?;
        drop(tx);
        if has_expired {
            let mut tx = self.0.store.write().await?;
            let interrupted = tx.engine().interrupt_expired(now, &self.0.hub.claims()).await?;
            tx.commit().await?;
            if interrupted > 0 {
                tracing::warn!(count = interrupted, "marked the answers of expired leases as interrupted");
            }
        }
        let before = now.plus_seconds(-MIN_QUEUED_SECONDS);
        let mut tx = self.0.store.read().await?;
        let queued = tx.engine().list_claimable_runs(before, self.0.answers_per_person, MAX_QUEUED_RUNS).await?;
        drop(tx);
        self.execute_in_order(queued);
        Ok(())
    }
}
