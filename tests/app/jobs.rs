//! The job queue: claims, retries, leases, shutdown.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use colloquy::{
    domain::{Job, JobKind, JobState, Timestamp},
    server::{
        fault::Fault,
        jobs::{Drained, Handler, Jobs, Outcome, Policy, Run},
    },
};
use futures::{FutureExt, future::BoxFuture};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{
    app::{TestApp, each_db},
    wait::{wait_for, wait_until},
};

/// A kind that the test application does not run, because it has no mail configured.
const KIND: JobKind = JobKind::SendMail;

/// A time far in the future.
const FAR_FUTURE: Timestamp = Timestamp::from_micros(i64::MAX / 2);

/// What the test's handler does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behaviour {
    Succeed,
    Fail,
    Panic,
    /// Waits for `resume`.
    Wait,
    /// Reschedules the job.
    Reschedule,
}

#[derive(Clone)]
struct Worker {
    behaviour: Behaviour,
    policy: Policy,
    runs: Arc<AtomicUsize>,
    resume: Arc<Notify>,
}

impl Worker {
    fn new(behaviour: Behaviour) -> Self {
        let policy = Policy { backoff: &[60, 300], attempts: Some(3), ..Policy::new(KIND) };
        Self { behaviour, policy, runs: Arc::default(), resume: Arc::default() }
    }

    fn jobs(&self, app: &TestApp) -> Jobs {
        Jobs::new(app.state.store.clone(), app.state.clock.clone(), vec![Arc::new(self.clone())])
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    async fn wait_for_runs(&self, runs: usize) {
        wait_until(&format!("it was run {runs} times"), async || self.runs() >= runs).await;
    }
}

impl Handler for Worker {
    fn policy(&self) -> Policy {
        self.policy
    }

    fn run<'a>(&'a self, _: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        async {
            self.runs.fetch_add(1, Ordering::SeqCst);
            match self.behaviour {
                Behaviour::Succeed => Ok(Outcome::Done),
                Behaviour::Fail => Err(Fault::internal("out\0of order")),
                Behaviour::Panic => panic!("a test has this job panic"),
                Behaviour::Wait => {
                    self.resume.notified().await;
                    Ok(Outcome::Done)
                }
                Behaviour::Reschedule => Ok(Outcome::NotYet(FAR_FUTURE)),
            }
        }
        .boxed()
    }
}

async fn enqueue(app: &TestApp) -> Uuid {
    let (subject, now) = (app.state.clock.new_id(), app.state.clock.now());
    let mut tx = app.state.store.write().await.expect("a unit");
    tx.enqueue(KIND, subject, now, now).await.expect("a job");
    tx.commit().await.expect("a commit");
    subject
}

async fn find(app: &TestApp, subject: Uuid) -> Option<Job> {
    app.state.store.read().await.expect("a unit").admin().find_job(KIND, subject).await.expect("a row")
}

async fn until_gone(app: &TestApp, subject: Uuid) {
    wait_until("the job is gone", async || find(app, subject).await.is_none()).await;
}

each_db! {
    async fn a_job_runs_once_committed_and_is_then_deleted(app: TestApp) {
        let (worker, stopping) = (Worker::new(Behaviour::Succeed), CancellationToken::new());
        let work = tokio::spawn(worker.jobs(&app).work(stopping.clone()));
        let (subject, now) = (app.state.clock.new_id(), app.state.clock.now());
        let mut tx = app.state.store.write().await.expect("a unit");
        tx.enqueue(KIND, subject, now, now).await.expect("a job");
        drop(tx);
        assert_eq!(find(&app, subject).await, None, "a rolled back transaction enqueues nothing");
        let one = enqueue(&app).await;
        until_gone(&app, one).await;
        assert_eq!(worker.runs(), 1);
        stopping.cancel();
        work.await.expect("it ends");
    }
}

each_db! {
    async fn each_job_is_run_by_one_of_many_workers(app: TestApp) {
        let worker = Worker::new(Behaviour::Succeed);
        for _ in 0..40 {
            enqueue(&app).await;
        }
        let runners: Vec<_> = (0..4).map(|_| worker.jobs(&app)).collect();
        let drains = runners.iter().map(|runner| runner.drain(KIND));
        let drained = futures::future::join_all(drains).await;
        let done: usize = drained.into_iter().map(|drained| drained.expect("jobs").done).sum();
        assert_eq!((done, worker.runs()), (40, 40));
    }
}

each_db! {
    async fn a_failing_job_is_retried_with_backoff_and_finally_fails(app: TestApp) {
        let worker = Worker::new(Behaviour::Fail);
        let (runner, subject) = (worker.jobs(&app), enqueue(&app).await);
        for (attempt, pause) in [(1, Some(60)), (2, Some(300)), (3, None)] {
            let before = app.state.clock.now();
            let drained = runner.drain(KIND).await.expect("jobs");
            assert_eq!(drained, Drained { failed: 1, ..Drained::default() }, "attempt {attempt}");
            let job = find(&app, subject).await.expect("the job");
            assert_eq!((job.attempts, job.last_error.as_deref()), (attempt, Some("out of order")));
            let Some(pause) = pause else {
                assert_eq!(job.state, JobState::Failed);
                break;
            };
            assert_eq!(job.state, JobState::Waiting);
            assert!(job.run_at >= before.plus_seconds(pause) && job.run_at < before.plus_seconds(pause + 30));
            app.state.clock.advance(pause - 30);
            assert_eq!(runner.drain(KIND).await.expect("jobs"), Drained::default(), "not before the time");
            app.state.clock.advance(61);
        }
        app.state.clock.advance(100_000);
        assert_eq!(runner.drain(KIND).await.expect("jobs"), Drained::default(), "it is not tried any more");
        // Enqueueing a failed job again resets it.
        let now = app.state.clock.now();
        let mut tx = app.state.store.write().await.expect("a unit");
        tx.enqueue(KIND, subject, now, now).await.expect("a job");
        tx.commit().await.expect("a commit");
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.attempts, job.last_error), (JobState::Waiting, 0, None));
    }
}

each_db! {
    async fn a_job_that_panics_or_times_out_fails_without_blocking_others(app: TestApp) {
        let panics = Worker::new(Behaviour::Panic);
        let (runner, one) = (panics.jobs(&app), enqueue(&app).await);
        let two = enqueue(&app).await;
        assert_eq!(runner.drain(KIND).await.expect("jobs").failed, 2);
        assert_eq!((panics.runs(), runner.panics()), (2, 2));
        for subject in [one, two] {
            let error = find(&app, subject).await.expect("the job").last_error.expect("an error");
            assert!(error.contains("panicked"), "{error}");
        }
        let mut slow = Worker::new(Behaviour::Wait);
        slow.policy.timeout = Duration::from_millis(50);
        let three = enqueue(&app).await;
        assert_eq!(slow.jobs(&app).drain(KIND).await.expect("jobs").failed, 1);
        let error = find(&app, three).await.expect("the job").last_error.expect("an error");
        assert!(error.contains("longer than"), "{error}");
    }
}

each_db! {
    async fn a_job_of_a_dead_process_is_run_again_when_its_lease_expires(app: TestApp) {
        let worker = Worker::new(Behaviour::Wait);
        let subject = enqueue(&app).await;
        let runner = worker.jobs(&app);
        let dying = tokio::spawn(async move { runner.drain(KIND).await });
        worker.wait_for_runs(1).await;
        dying.abort();
        let _ = dying.await;
        let next = Worker::new(Behaviour::Succeed);
        let mut tx = app.state.store.write().await.expect("a unit");
        let (lease, now) = (app.state.clock.new_id(), app.state.clock.now());
        assert_eq!(tx.engine().claim_job(KIND, lease, now, now.plus_seconds(60)).await.expect("jobs"), None, "the lease is valid");
        drop(tx);
        app.state.clock.advance(61);
        assert_eq!(next.jobs(&app).drain(KIND).await.expect("jobs").done, 1);
        assert_eq!(find(&app, subject).await, None);
    }
}

each_db! {
    async fn a_job_that_kills_the_process_is_not_retried_forever(app: TestApp) {
        let worker = Worker::new(Behaviour::Succeed);
        let subject = enqueue(&app).await;
        for _ in 0..3 {
            let (lease, now) = (app.state.clock.new_id(), app.state.clock.now());
            let mut tx = app.state.store.write().await.expect("a unit");
            tx.engine().claim_job(KIND, lease, now, now.plus_seconds(60)).await.expect("jobs").expect("a job");
            tx.commit().await.expect("a commit");
            app.state.clock.advance(61);
        }
        assert_eq!(worker.jobs(&app).drain(KIND).await.expect("jobs").failed, 1);
        assert_eq!(worker.runs(), 0);
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.last_error.as_deref()), (JobState::Failed, Some("the server ended while the job ran")));
    }
}

each_db! {
    async fn a_process_does_not_reclaim_its_own_job_when_the_clock_jumps(app: TestApp) {
        let worker = Worker::new(Behaviour::Wait);
        enqueue(&app).await;
        let (runner, stopping) = (worker.jobs(&app), CancellationToken::new());
        let work = tokio::spawn(runner.clone().work(stopping.clone()));
        worker.wait_for_runs(1).await;
        app.state.clock.advance(3_600);
        let again = tokio::spawn(async move { runner.drain(KIND).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        worker.resume.notify_one();
        assert_eq!(again.await.expect("no panic").expect("jobs"), Drained::default());
        assert_eq!(worker.runs(), 1);
        stopping.cancel();
        work.await.expect("it ends");
    }
}

each_db! {
    async fn an_unknown_job_kind_does_not_block_other_jobs(app: TestApp) {
        let worker = Worker::new(Behaviour::Succeed);
        let subject = enqueue(&app).await;
        app.execute(
            "insert into jobs (kind, subject_id, state, run_at, created_at)
             select 'new_thing', subject_id, 'waiting', 1, 1 from jobs where kind = 'send_mail'",
        )
        .await;
        let stopping = CancellationToken::new();
        let work = tokio::spawn(worker.jobs(&app).work(stopping.clone()));
        until_gone(&app, subject).await;
        let listed = app.state.store.read().await.expect("a unit").admin().list_jobs().await.expect("a list");
        assert!(listed.iter().all(|job| job.subject != subject));
        stopping.cancel();
        work.await.expect("it ends");
    }
}

each_db! {
    async fn a_worker_that_lost_its_lease_changes_nothing(app: TestApp) {
        let subject = enqueue(&app).await;
        let claim = async || {
            let (lease, now) = (app.state.clock.new_id(), app.state.clock.now());
            let mut tx = app.state.store.write().await.expect("a unit");
            let job = tx.engine().claim_job(KIND, lease, now, now.plus_seconds(60)).await.expect("jobs").expect("a job");
            tx.commit().await.expect("a commit");
            job
        };
        let late = claim().await;
        app.state.clock.advance(61);
        let owner = claim().await;
        let now = app.state.clock.now();
        let mut tx = app.state.store.write().await.expect("a unit");
        assert!(!tx.engine().renew_job(&late, (1, 1), now.plus_seconds(999)).await.expect("a row"));
        tx.engine().fail_job(&late, "late", None, now).await.expect("a row");
        tx.engine().reschedule_job(&late, now, true).await.expect("a row");
        assert!(!tx.engine().finish_job(&late).await.expect("a row"));
        tx.commit().await.expect("a commit");
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.attempts, job.last_error), (JobState::Running, 2, None));
        let mut tx = app.state.store.write().await.expect("a unit");
        assert!(tx.engine().renew_job(&owner, (1, 2), now.plus_seconds(60)).await.expect("a row"));
        assert!(tx.engine().finish_job(&owner).await.expect("a row"));
        tx.commit().await.expect("a commit");
    }
}

each_db! {
    async fn shutdown_releases_or_finishes_running_jobs(app: TestApp) {
        let dropped = Worker::new(Behaviour::Wait);
        let (subject, stopping) = (enqueue(&app).await, CancellationToken::new());
        let work = tokio::spawn(dropped.jobs(&app).work(stopping.clone()));
        dropped.wait_for_runs(1).await;
        stopping.cancel();
        work.await.expect("it ends");
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.attempts), (JobState::Waiting, 0), "the next process runs it immediately");
        assert!(job.run_at <= app.state.clock.now());

        let mut finishes = Worker::new(Behaviour::Wait);
        finishes.policy.finish_on_shutdown = true;
        let stopping = CancellationToken::new();
        let work = tokio::spawn(finishes.jobs(&app).work(stopping.clone()));
        finishes.wait_for_runs(1).await;
        stopping.cancel();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!work.is_finished(), "it is waited for");
        finishes.resume.notify_one();
        work.await.expect("it ends");
        assert_eq!(find(&app, subject).await, None);
    }
}

each_db! {
    async fn a_scheduled_job_runs_once_on_all_instances_and_repeats(app: TestApp) {
        let mut worker = Worker::new(Behaviour::Succeed);
        worker.policy = worker.policy.every(600);
        let stopping = CancellationToken::new();
        let works = [(); 3].map(|()| tokio::spawn(worker.jobs(&app).work(stopping.clone())));
        worker.wait_for_runs(1).await;
        let waits = async |runs: usize| {
            worker.wait_for_runs(runs).await;
            wait_for("the job waits", async || {
                find(&app, Uuid::nil()).await.filter(|job| job.state == JobState::Waiting)
            })
            .await
        };
        let job = waits(1).await;
        assert!(job.run_at > app.state.clock.now().plus_seconds(590) && job.attempts == 0, "{job:?}");
        app.state.clock.advance(601);
        waits(2).await;
        assert_eq!(worker.runs(), 2);
        stopping.cancel();
        for work in works {
            work.await.expect("it ends");
        }
    }
}

each_db! {
    async fn a_rescheduled_job_waits_without_a_failure(app: TestApp) {
        let worker = Worker::new(Behaviour::Reschedule);
        let subject = enqueue(&app).await;
        let drained = worker.jobs(&app).drain(KIND).await.expect("jobs");
        assert_eq!(drained, Drained { waiting: 1, ..Drained::default() });
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.attempts, job.last_error), (JobState::Waiting, 0, None));
    }
}

each_db! {
    async fn jobs_without_a_handler_wait(app: TestApp) {
        let subject = enqueue(&app).await;
        assert_eq!(app.state.jobs.drain(KIND).await.expect("no handler"), Drained::default());
        assert_eq!(find(&app, subject).await.map(|job| job.state), Some(JobState::Waiting));
    }
}

each_db! {
    async fn failed_jobs_are_deleted_after_a_month(app: TestApp) {
        let subject = enqueue(&app).await;
        let mut once = Worker::new(Behaviour::Fail);
        once.policy.attempts = Some(1);
        assert_eq!(once.jobs(&app).drain(KIND).await.expect("jobs").failed, 1);
        for (days, is_there) in [(29, true), (2, false)] {
            app.state.clock.advance(days * 86_400);
            app.state.privacy.delete_expired().await.expect("a pass");
            assert_eq!(find(&app, subject).await.is_some(), is_there, "{days}");
        }
    }
}
