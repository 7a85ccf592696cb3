//! Claims what is due, has it run, and notes how it ended.

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

/// Time between two looks for what is due, has been left by another instance, or failed.
const PERIOD: Duration = Duration::from_secs(2);
/// Time between two renewals of a lease.
const RENEWAL: Duration = Duration::from_secs(10);
/// Times that it is tried to note how a job ended while the database does not answer, and the pause between them.
const NOTES: u32 = 5;
const NOTE_PAUSE: Duration = Duration::from_secs(1);
/// Bytes of an error that are kept.
const ERROR_BYTES: usize = 500;

/// The runner of this process. Shared by cloning.
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
    /// Held by whoever runs them in this process. A lease that runs out because the clock jumps does not let a process take
    /// a job from itself.
    turn: Arc<Mutex<()>>,
}

impl Lane {
    fn is_paused(&self, now: Timestamp) -> bool {
        self.handler.paused_until().is_some_and(|until| now < until)
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Done,
    NotYet,
    Failed,
    /// The server stops, or somebody else has the job.
    Dropped,
}

/// What came of the jobs of a kind that were due.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Jobs that succeeded.
    pub done: usize,
    /// Jobs that have to wait for something.
    pub waiting: usize,
    /// Attempts that failed.
    pub failed: usize,
}

impl Jobs {
    /// A runner with the handlers of all kinds that this installation knows.
    pub fn new(store: Store, clock: Clock, handlers: Vec<Arc<dyn Handler>>) -> Self {
        let lanes = handlers.into_iter().map(|handler| Lane { handler, turn: Arc::default() }).collect();
        Self(Arc::new(Inner { store, clock, lanes, panics: AtomicU64::new(0) }))
    }

    /// Runs what is due, one job of each kind at a time, until `stopping`. Comes back when what has to finish has finished.
    pub async fn work(self, stopping: CancellationToken) {
        let (mut ticks, mut is_scheduled) = (interval(PERIOD), false);
        // Each in a task of its own: one that nobody polls would keep its connection to the database from the others.
        let (mut busy, mut lanes) = (HashMap::new(), JoinSet::new());
        loop {
            tokio::select! {
                () = stopping.cancelled() => break,
                Some(ended) = lanes.join_next_with_id() => {
                    busy.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
                    continue;
                }
                () = self.0.store.job_enqueued() => {}
                _ = ticks.tick() => {}
            }
            if !is_scheduled {
                is_scheduled = self.schedule().await.inspect_err(told).is_ok();
            }
            let now = self.0.clock.now();
            for kind in self.due().await.inspect_err(told).unwrap_or_default() {
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

    /// How often a job has panicked in this process.
    pub fn panics(&self) -> u64 {
        self.0.panics.load(Ordering::Relaxed)
    }

    /// For tests and measurements: runs what is due of a kind now, one after another, and waits for what another runner is at.
    /// What fails is tried once.
    pub async fn drain(&self, kind: JobKind) -> Result<Drained, StoreError> {
        let Some(lane) = self.lane(kind) else { return Ok(Drained::default()) };
        let (mut drained, running, _turn) = (Drained::default(), CancellationToken::new(), lane.turn.lock().await);
        if lane.handler.policy().every.is_some() {
            let mut tx = self.0.store.write().await?;
            tx.try_job_again(kind, Uuid::nil(), self.0.clock.now()).await?;
            tx.commit().await?;
        }
        loop {
            let job = if lane.is_paused(self.0.clock.now()) { None } else { self.claim(kind).await? };
            let Some(job) = job else {
                if !self.0.store.read().await?.is_job_running(kind, self.0.clock.now()).await? {
                    return Ok(drained);
                }
                sleep(Duration::from_millis(10)).await;
                continue;
            };
            match self.run(&*lane.handler, job, &running).await {
                Ended::Done => drained.done += 1,
                Ended::NotYet => drained.waiting += 1,
                Ended::Failed => drained.failed += 1,
                Ended::Dropped => {}
            }
        }
    }

    fn lane(&self, kind: JobKind) -> Option<&Lane> {
        self.0.lanes.iter().find(|lane| lane.handler.policy().kind == kind)
    }

    /// Sees to it that each schedule has its job.
    async fn schedule(&self) -> Result<(), StoreError> {
        let schedules = self.0.lanes.iter().map(|lane| lane.handler.policy()).filter(|policy| policy.every.is_some());
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        let missing = tx.enqueue_missing(now).await?;
        if missing > 0 {
            tracing::warn!(missing, "work without a job was found; it has jobs now");
        }
        for policy in schedules {
            tx.enqueue(policy.kind, Uuid::nil(), now, now).await?;
        }
        tx.commit().await
    }

    async fn due(&self) -> Result<Vec<JobKind>, StoreError> {
        self.0.store.read().await?.list_due_kinds(self.0.clock.now()).await
    }

    async fn claim(&self, kind: JobKind) -> Result<Option<ClaimedJob>, StoreError> {
        let (lease, now) = (self.0.clock.new_id(), self.0.clock.now());
        if !self.0.store.read().await?.is_job_due(kind, now).await? {
            return Ok(None);
        }
        let mut tx = self.0.store.write().await?;
        let job = tx.claim_job(kind, lease, now, now.plus_seconds(LEASE_SECONDS)).await?;
        tx.commit().await?;
        Ok(job)
    }

    /// Runs the jobs of a kind that are due, one after another. After a failure it is the next look's turn, so that what is
    /// in trouble gets a pause.
    async fn run_due(&self, Lane { handler, turn }: &Lane, stopping: &CancellationToken) {
        let _turn = turn.lock().await;
        while !stopping.is_cancelled() {
            let job = match self.claim(handler.policy().kind).await {
                Ok(Some(job)) => job,
                Ok(None) => return,
                Err(error) => return told(&error),
            };
            if self.run(&**handler, job, stopping).await != Ended::Done {
                return;
            }
        }
    }

    /// Makes one attempt.
    async fn run(&self, handler: &dyn Handler, job: ClaimedJob, stopping: &CancellationToken) -> Ended {
        let policy = handler.policy();
        if policy.attempts.is_some_and(|limit| job.attempts > limit) {
            // The attempts before did not come to an end of any kind: what kills the process is not tried for ever.
            let gone = Outcome::Failed("the server ended while the job ran".to_owned(), None);
            self.settle(&policy, &job, &gone).await;
            return Ended::Failed;
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
            () = lost(&run) => {
                tracing::warn!(kind = job.kind.as_str(), subject = %job.subject_id, "a job was taken over by somebody else, or withdrawn");
                return Ended::Dropped;
            }
            () = stopping.cancelled(), if !policy.finishes_at_stop => Outcome::NotYet(self.0.clock.now()),
        };
        self.settle(&policy, &job, &outcome).await;
        match outcome {
            Outcome::Done => Ended::Done,
            Outcome::NotYet(_) => Ended::NotYet,
            Outcome::Failed(..) => Ended::Failed,
        }
    }

    /// What went wrong without the handler's saying so. What handlers say may hold addresses, and does not come into the log.
    fn failure(&self, policy: &Policy, job: &ClaimedJob, error: &str) -> Outcome {
        tracing::error!(kind = job.kind.as_str(), subject = %job.subject_id, error, "a job broke off");
        Outcome::Failed(error.to_owned(), policy.next_attempt(job.attempts, self.0.clock.now()))
    }

    /// Notes how an attempt ended. What cannot be noted is run again when its lease is over.
    async fn settle(&self, policy: &Policy, job: &ClaimedJob, outcome: &Outcome) {
        let (kind, subject, attempts) = (job.kind.as_str(), job.subject_id, job.attempts);
        if let Outcome::Failed(_, next) = outcome {
            match next.map(rfc3339) {
                Some(next) => tracing::error!(kind, %subject, attempts, next, "a job failed; it is tried again"),
                None => tracing::error!(kind, %subject, attempts, "a job failed for good"),
            }
        }
        for _ in 0..NOTES {
            match self.note(policy, job, outcome).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(kind, %subject, %error, "how a job ended could not be noted; trying again")
                }
            }
            sleep(NOTE_PAUSE).await;
        }
    }

    async fn note(&self, policy: &Policy, job: &ClaimedJob, outcome: &Outcome) -> Result<(), StoreError> {
        let now = self.0.clock.now();
        let mut tx = self.0.store.write().await?;
        match (outcome, policy.every) {
            (Outcome::Done, None) => {
                // The handler has done so where it could.
                tx.finish_job(job).await?;
            }
            (Outcome::Done, Some(seconds)) => tx.put_job_back(job, now.plus_seconds(seconds), true).await?,
            (Outcome::NotYet(at), _) => tx.put_job_back(job, *at, false).await?,
            (Outcome::Failed(error, next), _) => tx.fail_job(job, &shortened(error), *next, now).await?,
        }
        tx.commit().await
    }
}

/// Renews the lease of a run again and again. Comes back when it is lost.
async fn lost(run: &Run) {
    loop {
        sleep(RENEWAL).await;
        match run.renew().await {
            Ok(true) => {}
            Ok(false) => return,
            // Where this instance alone is cut off, another one takes the job over when the lease ends.
            Err(error) => tracing::warn!(%error, "the lease of a job could not be renewed; trying again"),
        }
    }
}

fn told(error: &StoreError) {
    tracing::error!(%error, "jobs cannot be looked for; the next look tries again");
}

fn shortened(error: &str) -> String {
    // NUL cannot be kept by PostgreSQL, and none of the others helps anybody.
    let mut text: String = error.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.truncate(text.floor_char_boundary(ERROR_BYTES));
    text
}
