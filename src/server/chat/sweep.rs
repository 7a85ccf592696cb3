//! Picks up what dead workers left behind.

use std::time::Duration;

use tokio::time::Instant;

use super::{Chats, writer::LEASE_SECONDS};
use crate::server::fault::Fault;

/// Time between two sweeps. With the lease of 20 s, a killed server's answers are marked within 25 s.
const PERIOD: Duration = Duration::from_secs(5);
/// Age at which a queued run is taken for abandoned by whoever wrote it.
const QUEUED_SECONDS: i64 = 2;
/// Abandoned runs that one sweep takes up.
const QUEUED: u32 = 200;

/// The sweeping task.
pub(super) async fn work(chats: Chats) {
    let mut ticks = tokio::time::interval(PERIOD);
    let mut outage = Outage::default();
    loop {
        ticks.tick().await;
        match chats.sweep_runs(!outage.is_recent()).await {
            Ok(()) => outage.reached(),
            Err(fault) => tracing::error!(%fault, "the sweep failed; the next one tries again"),
        }
    }
}

/// When this process itself could not reach the database. Others may have been cut off by the same fault, and must get
/// the time to renew their leases before anybody takes them for dead.
struct Outage {
    last_reached: Instant,
    ended: Option<Instant>,
}

impl Default for Outage {
    fn default() -> Self {
        Self { last_reached: Instant::now(), ended: None }
    }
}

impl Outage {
    /// The database was reached.
    fn reached(&mut self) {
        if self.last_reached.elapsed() > PERIOD * 2 {
            self.ended = Some(Instant::now());
        }
        self.last_reached = Instant::now();
    }

    /// Whether it lasts, or ended within the time of a lease.
    fn is_recent(&self) -> bool {
        let lease = Duration::from_secs(LEASE_SECONDS.unsigned_abs());
        self.last_reached.elapsed() > PERIOD * 2 || self.ended.is_some_and(|ended| ended.elapsed() < lease)
    }
}

impl Chats {
    /// Ends the runs that dead processes of the same data folder left behind, and executes those that nobody has claimed:
    /// what a start does before it serves.
    pub async fn take_over(&self) -> Result<(), Fault> {
        self.interrupt_dead().await?;
        let mut tx = self.0.store.read().await?;
        let queued = tx.list_claimable_runs(self.0.clock.now(), self.0.answers_per_person, QUEUED).await?;
        drop(tx);
        self.execute_in_order(queued);
        Ok(())
    }

    async fn interrupt_dead(&self) -> Result<(), Fault> {
        for dead in self.0.instance.list_dead() {
            let mut tx = self.0.store.write().await?;
            let count = tx.interrupt_runs_of(dead.worker, self.0.clock.now()).await?;
            tx.commit().await?;
            if count > 0 {
                tracing::warn!(count, "answers of a process that was killed were marked as interrupted");
            }
            dead.forget();
        }
        Ok(())
    }

    /// Marks the answers of dead workers as interrupted, and executes runs that nobody claimed.
    pub async fn sweep(&self) -> Result<(), Fault> {
        self.sweep_runs(true).await
    }

    async fn sweep_runs(&self, interrupt: bool) -> Result<(), Fault> {
        self.interrupt_dead().await?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.read().await?;
        let has_expired = interrupt && tx.has_expired_run(now).await?;
        drop(tx);
        if has_expired {
            let mut tx = self.0.store.write().await?;
            let interrupted = tx.interrupt_expired(now, &self.0.hub.held()).await?;
            tx.commit().await?;
            if interrupted > 0 {
                tracing::warn!(count = interrupted, "answers of a stopped server were marked as interrupted");
            }
        }
        let before = now.plus_seconds(-QUEUED_SECONDS);
        let mut tx = self.0.store.read().await?;
        let queued = tx.list_claimable_runs(before, self.0.answers_per_person, QUEUED).await?;
        drop(tx);
        self.execute_in_order(queued);
        Ok(())
    }
}
