//! The job runner: claims due jobs, runs them and records their outcome.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Handler, Outcome, Policy, Run, run::LEASE_SECONDS};
use crate::{
    domain::{JobKind, Timestamp},
    server::{
        clock::{Clock, rfc3339},
        store::{ClaimedJob, Store, StoreError},
    },
};

/// Poll interval for jobs that became due, were left by another instance, or failed.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Interval between two renewals of a lease.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(10);
/// The number of attempts to record an outcome while the database is unavailable, and the delay between them.
const RECORD_ATTEMPTS: u32 = 5;
const RECORD_RETRY_DELAY: Duration = Duration::from_secs(1);
/// The maximum length of a stored error, in bytes.
const MAX_ERROR_BYTES: usize = 500;

/// The job runner of this process. Shared by cloning.
#[derive(Clone)]
pub struct Jobs(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    lanes: Vec<Lane>,
    panics: AtomicU64,
}

/// The jobs of one kind.
#[derive(Clone)]
struct Lane {
    handler: Arc<dyn Handler>,
    /// Locked by the task that runs them in this process: if a lease expires because the clock jumps, the process does
    /// not take over its own job.
    mutex: Arc<Mutex<()>>,
}

impl Lane {
    fn is_paused(&self, now: Timestamp) -> bool {
        self.handler.paused_until().is_some_and(|until| now < until)
    }
}

/// The result of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttemptResult {
    Done,
    NotYet,
    Failed,
    /// The server is stopping, or another instance has the job.
    Abandoned,
}

/// The results of draining the due jobs of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Jobs that succeeded.
    pub done: usize,
    /// Jobs that must wait for something.
    pub waiting: usize,
    /// Attempts that failed.
    pub failed: usize,
}

impl Jobs {
    /// Creates a runner with the handlers of all job kinds of this installation.
    pub fn new(store: Store, clock: Clock, handlers: Vec<Arc<dyn Handler>>) -> Self {
        let lanes = handlers.into_iter().map(|handler| Lane { handler, mutex: Arc::default() }).collect();
        Self(Arc::new(Inner { store, clock, lanes, panics: AtomicU64::new(0) }))
    }

    /// Runs due jobs, one of each kind at a time, until `stopping` is cancelled. Returns when the jobs that must
    /// complete have completed.
    pub async fn work(self, stopping: CancellationToken) {
        let (mut ticker, mut is_scheduled) = (interval(POLL_INTERVAL), false);
        // Each kind runs in its own task: a future that is not polled would hold its database connection.
        let (mut busy, mut lanes) = (HashMap::new(), JoinSet::new());
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                Some(ended) = lanes.join_next_with_id() => {
                    busy.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
                    continue;
                }
                () = self.0.store.job_enqueued() => {}
                _ = ticker.tick() => {}
            }
            if !is_scheduled {
                is_scheduled = self.schedule().await.inspect_err(log_poll_error).is_ok();
            }
            let now = self.0.clock.now();
            for kind in self.due().await.inspect_err(log_poll_error).unwrap_or_default() {
                let Some(lane) = self.lane(kind) else { continue };
                if !lane.is_paused(now) && !busy.values().any(|one| *one == kind) {
                    let (jobs, lane, stopping) = (self.clone(), lane.clone(), stopping.clone());
                    let task = lanes.spawn(async move { jobs.run_due(&lane, &stopping).await });
                    busy.insert(task.id(), kind);
                }
            }
        }
        while lanes.join_next().await.is_some() {}
    }

    /// The number of panicked jobs in this process.
    pub fn panics(&self) -> u64 {
        self.0.panics.load(Ordering::Relaxed)
    }

    /// For tests and benchmarks: runs the due jobs of a kind one after another, and waits for those that another runner
    /// is running. A failed job is not retried.
    pub async fn drain(&self, kind: JobKind) -> Result<Drained, StoreError> {
        let Some(lane) = self.lane(kind) else { return Ok(Drained::default()) };
        let (mut drained, running, _guard) = (Drained::default(), CancellationToken::new(), lane.mutex.lock().await);
        if lane.handler.policy().every.is_some() {
            let mut tx = self.0.store.write().await?;
            tx.engine().retry_job(kind, Uuid::nil(), self.0.clock.now()).await?;
            tx.commit().await?;
        }
        loop {
            let job = if lane.is_paused(self.0.clock.now()) { None } else { self.claim(kind).await? };
            let Some(job) = job else {
                if !self.0.store.read().await?.engine().is_job_running(kind, self.0.clock.now()).await? {
                    return Ok(drained);
                }
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            match self.run(&*lane.handler, job, &running).await {
                AttemptResult::Done => drained.done += 1,
                AttemptResult::NotYet => drained.waiting += 1,
                AttemptResult::Failed => drained.failed += 1,
                AttemptResult::Abandoned => {}
            }
        }
    }

    fn lane(&self, kind: JobKind) -> Option<&Lane> {
        self.0.lanes.iter().find(|lane| lane.handler.policy().kind == kind)
    }

    /// Ensures that each schedule has its job.
    async fn schedule(&self) -> Result<(), StoreError> {
        let schedules = self.0.lanes.iter().map(|lane| lane.handler.policy()).filter(|policy| policy.every.is_some());
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let missing = tx.engine().enqueue_missing(now).await?;
        if missing > 0 {
            tracing::warn!(missing, "enqueued missing jobs");
        }
        for policy in schedules {
            tx.enqueue(policy.kind, Uuid::nil(), now, now).await?;
        }
        tx.commit().await
    }

    async fn due(&self) -> Result<Vec<JobKind>, StoreError> {
        self.0.store.read().await?.engine().list_due_kinds(self.0.clock.now()).await
    }

    async fn claim(&self, kind: JobKind) -> Result<Option<ClaimedJob>, StoreError> {
        let (lease, now) = (self.0.clock.new_id(), self.0.clock.now());
        if !self.0.store.read().await?.engine().is_job_due(kind, now).await? {
            return Ok(None);
        }
        let mut tx = self.0.store.write().await?;
        let job = tx.engine().claim_job(kind, lease, now, now.plus_seconds(LEASE_SECONDS)).await?;
        tx.commit().await?;
        Ok(job)
    }

    /// Runs the due jobs of a kind one after another. Stops at a failure until the next poll, so that a failing kind is
    /// not retried in a tight loop.
    async fn run_due(&self, Lane { handler, mutex }: &Lane, stopping: &CancellationToken) {
        let _guard = mutex.lock().await;
        while !stopping.is_cancelled() {
            let job = match self.claim(handler.policy().kind).await {
                Ok(Some(job)) => job,
                Ok(None) => return,
                Err(error) => return log_poll_error(&error),
            };
            if self.run(&**handler, job, stopping).await != AttemptResult::Done {
                return;
            }
        }
    }

    /// Runs one attempt.
    async fn run(&self, handler: &dyn Handler, job: ClaimedJob, stopping: &CancellationToken) -> AttemptResult {
        let policy = handler.policy();
        if policy.attempts.is_some_and(|limit| job.attempts > limit) {
            // The previous attempts ended without an outcome: a job that crashes the process is not retried forever.
            let gone = Outcome::Failed("the server ended while the job ran".to_owned(), None);
            self.record_outcome(&policy, &job, &gone).await;
            return AttemptResult::Failed;
        }
        let run = Run::new(job, self.0.store.clone(), self.0.clock.clone());
        let work = AssertUnwindSafe(timeout(policy.timeout, handler.run(&run))).catch_unwind();
        let outcome = tokio::select! {
            ended = work => match ended {
                Ok(Ok(Ok(outcome))) => outcome,
                Ok(Ok(Err(fault))) => self.failure(&policy, &job, &fault.to_string()),
                Ok(Err(_)) => self.failure(&policy, &job, &format!("it took longer than {} s", policy.timeout.as_secs())),
                Err(_) => {
                    self.0.panics.fetch_add(1, Ordering::Relaxed);
                    self.failure(&policy, &job, "it panicked; the log says where")
                }
            },
            () = lease_lost(&run) => {
                tracing::warn!(kind = job.kind.as_str(), subject = %job.subject_id, "a job was taken over by another instance, or deleted");
                return AttemptResult::Abandoned;
            }
            () = stopping.cancelled(), if !policy.finish_on_shutdown => Outcome::NotYet(self.0.clock.now()),
        };
        self.record_outcome(&policy, &job, &outcome).await;
        match outcome {
            Outcome::Done => AttemptResult::Done,
            Outcome::NotYet(_) => AttemptResult::NotYet,
            Outcome::Failed(..) => AttemptResult::Failed,
        }
    }

    /// Handles an error that the handler did not report as an outcome. Reported errors are not logged: they may contain
    /// addresses.
    fn failure(&self, policy: &Policy, job: &ClaimedJob, error: &str) -> Outcome {
        tracing::error!(kind = job.kind.as_str(), subject = %job.subject_id, error, "a job aborted");
        Outcome::Failed(error.to_owned(), policy.next_attempt(job.attempts, self.0.clock.now()))
    }

    /// Records the outcome of an attempt. If that fails, the job is run again when its lease expires.
    async fn record_outcome(&self, policy: &Policy, job: &ClaimedJob, outcome: &Outcome) {
        let (kind, subject, attempts) = (job.kind.as_str(), job.subject_id, job.attempts);
        if let Outcome::Failed(_, next) = outcome {
            match next.map(rfc3339) {
                Some(next) => tracing::error!(kind, %subject, attempts, next, "a job failed; it will be retried"),
                None => tracing::error!(kind, %subject, attempts, "a job failed permanently"),
            }
        }
        for _ in 0..RECORD_ATTEMPTS {
            match self.try_record_outcome(policy, job, outcome).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(kind, %subject, %error, "cannot record the outcome of a job; retrying")
                }
            }
            sleep(RECORD_RETRY_DELAY).await;
        }
    }

    async fn try_record_outcome(&self, policy: &Policy, job: &ClaimedJob, outcome: &Outcome) -> Result<(), StoreError> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        match (outcome, policy.every) {
            (Outcome::Done, None) => {
                // No-op if the handler has finished the job itself.
                tx.engine().finish_job(job).await?;
            }
            (Outcome::Done, Some(seconds)) => tx.engine().reschedule_job(job, now.plus_seconds(seconds), true).await?,
            (Outcome::NotYet(at), _) => tx.engine().reschedule_job(job, *at, false).await?,
            (Outcome::Failed(error, next), _) => tx.engine().fail_job(job, &truncated(error), *next, now).await?,
        }
        tx.commit().await
    }
}

/// Renews the lease of a run periodically. Returns when it is lost.
async fn lease_lost(run: &Run) {
    loop {
        sleep(RENEWAL_INTERVAL).await;
        match run.renew_and_commit().await {
            Ok(true) => {}
            Ok(false) => return,
            // If only this instance is cut off from the database, another one takes over when the lease expires.
            Err(error) => tracing::warn!(%error, "cannot renew the lease of a job; retrying"),
        }
    }
}

fn log_poll_error(error: &StoreError) {
    tracing::error!(%error, "cannot poll for jobs; retrying at the next poll");
}

fn truncated(error: &str) -> String {
    // PostgreSQL cannot store NUL, and the other control characters are not useful.
    let mut text: String = error.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.truncate(text.floor_char_boundary(MAX_ERROR_BYTES));
    text
}
