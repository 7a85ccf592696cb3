//! Picks up what dead workers left behind, and clears away what is due.

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
/// How long a deleted chat can be restored.
const RESTORE_SECONDS: i64 = 3_600;
/// Sweeps between two deletions of what has expired: sessions, throttles, chats. 10 minutes.
const EXPIRY_SWEEPS: u32 = 120;

/// Ended sign-ins that are deleted in one transaction.
const ENDED_SIGN_INS: u32 = 500;

/// The sweeping task.
pub(super) async fn work(chats: Chats) {
    let mut ticks = tokio::time::interval(PERIOD);
    let mut sweeps = 0_u32;
    let mut outage = Outage::default();
    loop {
        tokio::select! {
            () = chats.0.shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match chats.sweep_runs(!outage.is_recent()).await {
            Ok(()) => outage.reached(),
            Err(fault) => tracing::error!(%fault, "the sweep failed; the next one tries again"),
        }
        if sweeps.is_multiple_of(EXPIRY_SWEEPS)
            && let Err(fault) = chats.clear_expired().await
        {
            tracing::error!(%fault, "what has expired could not be deleted; the next pass tries again");
        }
        sweeps = sweeps.wrapping_add(1);
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
    ///
    /// # Errors
    /// As the database says.
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

    /// Marks the answers of dead workers as interrupted, executes runs that nobody claimed, and removes chats whose
    /// time to be restored is over.
    ///
    /// # Errors
    /// As the database says.
    pub async fn sweep(&self) -> Result<(), Fault> {
        self.sweep_runs(true).await
    }

    async fn sweep_runs(&self, interrupt: bool) -> Result<(), Fault> {
        self.interrupt_dead().await?;
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let interrupted = if interrupt { tx.interrupt_expired(now, &self.0.hub.held()).await? } else { 0 };
        let before = now.plus_seconds(-QUEUED_SECONDS);
        let queued = tx.list_claimable_runs(before, self.0.answers_per_person, QUEUED).await?;
        tx.delete_chats_deleted_before(now.plus_seconds(-RESTORE_SECONDS)).await?;
        tx.commit().await?;
        if interrupted > 0 {
            tracing::warn!(count = interrupted, "answers of a stopped server were marked as interrupted");
        }
        self.execute_in_order(queued);
        Ok(())
    }

    async fn clear_expired(&self) -> Result<(), Fault> {
        let mut tx = self.0.store.write().await?;
        tx.delete_expired(self.0.clock.now(), self.0.audit_days).await?;
        tx.commit().await?;
        let before = self.0.clock.now().plus_seconds(-86_400 * i64::from(self.0.audit_days));
        loop {
            let mut tx = self.0.store.write().await?;
            let deleted = tx.delete_ended_sign_ins(before, ENDED_SIGN_INS).await?;
            tx.commit().await?;
            if deleted < u64::from(ENDED_SIGN_INS) {
                break;
            }
        }
        self.expire().await
    }
}
