//! One attempt at a job.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use uuid::Uuid;

use crate::server::{
    clock::Clock,
    store::{ClaimedJob, Store, StoreError, Tx},
};

/// How long nobody else runs a job after its lease was renewed last.
pub(super) const LEASE_SECONDS: i64 = 60;

/// A job that is being run.
#[derive(Debug)]
pub struct Run {
    pub(super) job: ClaimedJob,
    store: Store,
    clock: Clock,
    done: AtomicI64,
    total: AtomicI64,
    /// Whether the handler has finished it in a transaction of its own.
    finished: AtomicBool,
}

impl Run {
    pub(super) fn new(job: ClaimedJob, store: Store, clock: Clock) -> Self {
        Self { job, store, clock, done: AtomicI64::new(0), total: AtomicI64::new(0), finished: AtomicBool::new(false) }
    }

    /// What it is about.
    pub const fn subject(&self) -> Uuid {
        self.job.subject_id
    }

    /// This attempt, as the owner of the job.
    pub const fn lease(&self) -> Uuid {
        self.job.lease
    }

    /// How often the job was tried, with this attempt.
    pub const fn attempts(&self) -> i64 {
        self.job.attempts
    }

    /// Notes how far it is, to be written with the next renewal of the lease.
    pub fn progress(&self, done: i64, total: i64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Holds the job for another while, in a transaction of the handler's; `false` where somebody else has it or it is gone,
    /// and nothing more may be written for it.
    pub async fn hold(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let progress = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        tx.renew_job(&self.job, progress, self.clock.now().plus_seconds(LEASE_SECONDS)).await
    }

    /// The job is done once this transaction is committed; `false` where somebody else has it or it is gone, and the
    /// transaction must be dropped.
    pub async fn finish(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let finished = tx.finish_job(&self.job).await?;
        self.finished.store(finished, Ordering::Relaxed);
        Ok(finished)
    }

    /// Renews the lease; `false` where it is lost.
    pub(super) async fn renew(&self) -> Result<bool, StoreError> {
        if self.finished.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let mut tx = self.store.write().await?;
        let held = self.hold(&mut tx).await?;
        tx.commit().await?;
        // The handler may have finished it meanwhile, and has something left to do.
        Ok(held || self.finished.load(Ordering::Relaxed))
    }
}
