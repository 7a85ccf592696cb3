//! One attempt at a job.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use uuid::Uuid;

use crate::{
    domain::Timestamp,
    server::{
        clock::Clock,
        store::{ClaimedJob, Store, StoreError, Tx},
    },
};

/// The duration of a lease. No other instance runs the job before the lease expires.
pub(super) const LEASE_SECONDS: i64 = 60;

/// A running job.
#[derive(Debug)]
pub struct Run {
    pub(super) job: ClaimedJob,
    store: Store,
    clock: Clock,
    done: AtomicI64,
    total: AtomicI64,
    /// Whether the handler has finished it in its own transaction.
    finished: AtomicBool,
}

impl Run {
    pub(super) fn new(job: ClaimedJob, store: Store, clock: Clock) -> Self {
        Self { job, store, clock, done: AtomicI64::new(0), total: AtomicI64::new(0), finished: AtomicBool::new(false) }
    }

    /// The id of the entity that the job is about.
    pub const fn subject(&self) -> Uuid {
        self.job.subject_id
    }

    /// The lease of this attempt, which identifies the owner of the job.
    pub const fn lease(&self) -> Uuid {
        self.job.lease
    }

    /// When the job was created.
    pub const fn created_at(&self) -> Timestamp {
        self.job.created_at
    }

    /// The number of attempts, including this one.
    pub const fn attempts(&self) -> i64 {
        self.job.attempts
    }

    /// Reports progress, which is stored with the next renewal of the lease.
    pub fn progress(&self, done: i64, total: i64) {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Renews the lease in a transaction of the handler; `false` if the job was taken over by another instance or
    /// deleted, and nothing more may be written for it.
    pub async fn renew_lease(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let progress = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        tx.engine().renew_job(&self.job, progress, self.clock.now().plus_seconds(LEASE_SECONDS)).await
    }

    /// Marks the job as done when this transaction is committed; `false` if the job was taken over by another instance
    /// or deleted, and the transaction must be dropped.
    pub async fn finish(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let finished = tx.engine().finish_job(&self.job).await?;
        self.finished.store(finished, Ordering::Relaxed);
        Ok(finished)
    }

    /// Renews the lease; `false` if it is lost.
    pub(super) async fn renew_and_commit(&self) -> Result<bool, StoreError> {
        if self.finished.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let mut tx = self.store.write().await?;
        let held = self.renew_lease(&mut tx).await?;
        tx.commit().await?;
        // The handler may have finished the job in the meantime and still have work left.
        Ok(held || self.finished.load(Ordering::Relaxed))
    }
}
