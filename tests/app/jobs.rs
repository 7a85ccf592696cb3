//! Jobs in the background: claimed once, tried again, taken over, stopped.

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

use crate::support::app::{TestApp, each_db};

/// A kind that the application itself does not run here: it sends no mails.
const KIND: JobKind = JobKind::SendMail;

/// A time that does not come.
const FAR: Timestamp = Timestamp::from_micros(i64::MAX / 2);

/// What a handler of a test does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Succeeds,
    Fails,
    Panics,
    /// Waits until it is told to go on.
    Waits,
    /// Has to come again at another time.
    IsEarly,
}

#[derive(Clone)]
struct Worker {
    act: Act,
    policy: Policy,
    runs: Arc<AtomicUsize>,
    go_on: Arc<Notify>,
}

impl Worker {
    fn new(act: Act) -> Self {
        let policy = Policy { backoff: &[60, 300], attempts: Some(3), ..Policy::new(KIND) };
        Self { act, policy, runs: Arc::default(), go_on: Arc::default() }
    }

    fn on(&self, app: &TestApp) -> Jobs {
        Jobs::new(app.state.store.clone(), app.state.clock.clone(), vec![Arc::new(self.clone())])
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    async fn begun(&self, runs: usize) {
        for _ in 0..400 {
            if self.runs() >= runs {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("it was run {} times, not {runs}", self.runs());
    }
}

impl Handler for Worker {
    fn policy(&self) -> Policy {
        self.policy
    }

    fn run<'a>(&'a self, _: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        async {
            self.runs.fetch_add(1, Ordering::SeqCst);
            match self.act {
                Act::Succeeds => Ok(Outcome::Done),
                Act::Fails => Err(Fault::internal("out\0of order")),
                Act::Panics => panic!("a test has this job panic"),
                Act::Waits => {
                    self.go_on.notified().await;
                    Ok(Outcome::Done)
                }
                Act::IsEarly => Ok(Outcome::NotYet(FAR)),
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
    app.state.store.read().await.expect("a unit").find_job(KIND, subject).await.expect("a row")
}

async fn until_gone(app: &TestApp, subject: Uuid) {
    for _ in 0..400 {
        if find(app, subject).await.is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the job is still there: {:?}", find(app, subject).await);
}

each_db! {
    async fn a_job_runs_as_soon_as_it_is_committed_and_is_gone_then(app: TestApp) {
        let (worker, stopping) = (Worker::new(Act::Succeeds), CancellationToken::new());
        let work = tokio::spawn(worker.on(&app).work(stopping.clone()));
        let (subject, now) = (app.state.clock.new_id(), app.state.clock.now());
        let mut tx = app.state.store.write().await.expect("a unit");
        tx.enqueue(KIND, subject, now, now).await.expect("a job");
        drop(tx);
        assert_eq!(find(&app, subject).await, None, "an act that was undone wants nothing");
        let one = enqueue(&app).await;
        until_gone(&app, one).await;
        assert_eq!(worker.runs(), 1);
        stopping.cancel();
        work.await.expect("it ends");
    }
}

each_db! {
    async fn of_many_runners_one_runs_each_job(app: TestApp) {
        let worker = Worker::new(Act::Succeeds);
        for _ in 0..40 {
            enqueue(&app).await;
        }
        let runners: Vec<_> = (0..4).map(|_| worker.on(&app)).collect();
        let drains = runners.iter().map(|runner| runner.drain(KIND));
        let drained = futures::future::join_all(drains).await;
        let done: usize = drained.into_iter().map(|drained| drained.expect("a look").done).sum();
        assert_eq!((done, worker.runs()), (40, 40));
    }
}

each_db! {
    async fn a_job_that_fails_is_tried_again_after_a_pause_and_fails_for_good_in_the_end(app: TestApp) {
        let worker = Worker::new(Act::Fails);
        let (runner, subject) = (worker.on(&app), enqueue(&app).await);
        for (attempt, pause) in [(1, Some(60)), (2, Some(300)), (3, None)] {
            let before = app.state.clock.now();
            let drained = runner.drain(KIND).await.expect("a look");
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
            assert_eq!(runner.drain(KIND).await.expect("a look"), Drained::default(), "not before the time");
            app.state.clock.advance(61);
        }
        app.state.clock.advance(100_000);
        assert_eq!(runner.drain(KIND).await.expect("a look"), Drained::default(), "it is not tried any more");
        // Whoever wants it again gets it anew.
        let now = app.state.clock.now();
        let mut tx = app.state.store.write().await.expect("a unit");
        tx.enqueue(KIND, subject, now, now).await.expect("a job");
        tx.commit().await.expect("a commit");
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.attempts, job.last_error), (JobState::Waiting, 0, None));
    }
}

each_db! {
    async fn a_job_that_panics_or_takes_too_long_has_failed_and_keeps_nothing_else(app: TestApp) {
        let panics = Worker::new(Act::Panics);
        let (runner, one) = (panics.on(&app), enqueue(&app).await);
        let two = enqueue(&app).await;
        assert_eq!(runner.drain(KIND).await.expect("a look").failed, 2);
        assert_eq!((panics.runs(), runner.panics()), (2, 2));
        for subject in [one, two] {
            let error = find(&app, subject).await.expect("the job").last_error.expect("an error");
            assert!(error.contains("panicked"), "{error}");
        }
        let mut slow = Worker::new(Act::Waits);
        slow.policy.timeout = Duration::from_millis(50);
        let three = enqueue(&app).await;
        assert_eq!(slow.on(&app).drain(KIND).await.expect("a look").failed, 1);
        let error = find(&app, three).await.expect("the job").last_error.expect("an error");
        assert!(error.contains("longer than"), "{error}");
    }
}

each_db! {
    async fn a_job_of_a_dead_process_is_run_again_when_its_lease_is_over(app: TestApp) {
        let worker = Worker::new(Act::Waits);
        let subject = enqueue(&app).await;
        let runner = worker.on(&app);
        let dying = tokio::spawn(async move { runner.drain(KIND).await });
        worker.begun(1).await;
        dying.abort();
        let _ = dying.await;
        let next = Worker::new(Act::Succeeds);
        let mut tx = app.state.store.write().await.expect("a unit");
        let (lease, now) = (app.state.clock.new_id(), app.state.clock.now());
        assert_eq!(tx.claim_job(KIND, lease, now, now.plus_seconds(60)).await.expect("a look"), None, "the lease holds");
        drop(tx);
        app.state.clock.advance(61);
        assert_eq!(next.on(&app).drain(KIND).await.expect("a look").done, 1);
        assert_eq!(find(&app, subject).await, None);
    }
}

each_db! {
    async fn a_job_that_ends_the_process_is_not_tried_for_ever(app: TestApp) {
        let worker = Worker::new(Act::Succeeds);
        let subject = enqueue(&app).await;
        for _ in 0..3 {
            let (lease, now) = (app.state.clock.new_id(), app.state.clock.now());
            let mut tx = app.state.store.write().await.expect("a unit");
            tx.claim_job(KIND, lease, now, now.plus_seconds(60)).await.expect("a look").expect("a job");
            tx.commit().await.expect("a commit");
            app.state.clock.advance(61);
        }
        assert_eq!(worker.on(&app).drain(KIND).await.expect("a look").failed, 1);
        assert_eq!(worker.runs(), 0);
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.last_error.as_deref()), (JobState::Failed, Some("the server ended while the job ran")));
    }
}

each_db! {
    async fn a_process_does_not_take_a_job_from_itself_when_the_clock_jumps(app: TestApp) {
        let worker = Worker::new(Act::Waits);
        enqueue(&app).await;
        let (runner, stopping) = (worker.on(&app), CancellationToken::new());
        let work = tokio::spawn(runner.clone().work(stopping.clone()));
        worker.begun(1).await;
        app.state.clock.advance(3_600);
        let again = tokio::spawn(async move { runner.drain(KIND).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        worker.go_on.notify_one();
        assert_eq!(again.await.expect("no panic").expect("a look"), Drained::default());
        assert_eq!(worker.runs(), 1);
        stopping.cancel();
        work.await.expect("it ends");
    }
}

each_db! {
    async fn a_kind_that_this_version_does_not_know_keeps_nothing_else_from_running(app: TestApp) {
        let worker = Worker::new(Act::Succeeds);
        let subject = enqueue(&app).await;
        app.execute(
            "insert into jobs (kind, subject_id, state, run_at, created_at)
             select 'new_thing', subject_id, 'waiting', 1, 1 from jobs where kind = 'send_mail'",
        )
        .await;
        let stopping = CancellationToken::new();
        let work = tokio::spawn(worker.on(&app).work(stopping.clone()));
        until_gone(&app, subject).await;
        let listed = app.state.store.read().await.expect("a unit").list_jobs().await.expect("a list");
        assert!(listed.iter().all(|job| job.subject != subject));
        stopping.cancel();
        work.await.expect("it ends");
    }
}

each_db! {
    async fn whoever_has_lost_the_lease_changes_nothing(app: TestApp) {
        let subject = enqueue(&app).await;
        let claim = async || {
            let (lease, now) = (app.state.clock.new_id(), app.state.clock.now());
            let mut tx = app.state.store.write().await.expect("a unit");
            let job = tx.claim_job(KIND, lease, now, now.plus_seconds(60)).await.expect("a look").expect("a job");
            tx.commit().await.expect("a commit");
            job
        };
        let late = claim().await;
        app.state.clock.advance(61);
        let owner = claim().await;
        let now = app.state.clock.now();
        let mut tx = app.state.store.write().await.expect("a unit");
        assert!(!tx.renew_job(&late, (1, 1), now.plus_seconds(999)).await.expect("a row"));
        tx.fail_job(&late, "late", None, now).await.expect("a row");
        tx.put_job_back(&late, now, true).await.expect("a row");
        assert!(!tx.finish_job(&late).await.expect("a row"));
        tx.commit().await.expect("a commit");
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.attempts, job.last_error), (JobState::Running, 2, None));
        let mut tx = app.state.store.write().await.expect("a unit");
        assert!(tx.renew_job(&owner, (1, 2), now.plus_seconds(60)).await.expect("a row"));
        assert!(tx.finish_job(&owner).await.expect("a row"));
        tx.commit().await.expect("a commit");
    }
}

each_db! {
    async fn a_server_that_stops_gives_jobs_back_or_finishes_them(app: TestApp) {
        let dropped = Worker::new(Act::Waits);
        let (subject, stopping) = (enqueue(&app).await, CancellationToken::new());
        let work = tokio::spawn(dropped.on(&app).work(stopping.clone()));
        dropped.begun(1).await;
        stopping.cancel();
        work.await.expect("it ends");
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.attempts), (JobState::Waiting, 0), "the next process runs it at once");
        assert!(job.run_at <= app.state.clock.now());

        let mut finishes = Worker::new(Act::Waits);
        finishes.policy.finishes_at_stop = true;
        let stopping = CancellationToken::new();
        let work = tokio::spawn(finishes.on(&app).work(stopping.clone()));
        finishes.begun(1).await;
        stopping.cancel();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!work.is_finished(), "it is waited for");
        finishes.go_on.notify_one();
        work.await.expect("it ends");
        assert_eq!(find(&app, subject).await, None);
    }
}

each_db! {
    async fn a_schedule_runs_once_over_all_instances_and_comes_again(app: TestApp) {
        let mut worker = Worker::new(Act::Succeeds);
        worker.policy = worker.policy.every(600);
        let stopping = CancellationToken::new();
        let works = [(); 3].map(|()| tokio::spawn(worker.on(&app).work(stopping.clone())));
        worker.begun(1).await;
        let waits = async |runs: usize| {
            worker.begun(runs).await;
            for _ in 0..400 {
                if let Some(job) = find(&app, Uuid::nil()).await
                    && job.state == JobState::Waiting
                {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            panic!("it does not wait")
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
    async fn what_is_early_waits_without_having_failed(app: TestApp) {
        let worker = Worker::new(Act::IsEarly);
        let subject = enqueue(&app).await;
        let drained = worker.on(&app).drain(KIND).await.expect("a look");
        assert_eq!(drained, Drained { waiting: 1, ..Drained::default() });
        let job = find(&app, subject).await.expect("the job");
        assert_eq!((job.state, job.attempts, job.last_error), (JobState::Waiting, 0, None));
    }
}

each_db! {
    async fn kinds_that_nobody_runs_here_wait(app: TestApp) {
        let subject = enqueue(&app).await;
        assert_eq!(app.state.jobs.drain(KIND).await.expect("no handler"), Drained::default());
        assert_eq!(find(&app, subject).await.map(|job| job.state), Some(JobState::Waiting));
    }
}

each_db! {
    async fn jobs_that_failed_go_after_a_month(app: TestApp) {
        let subject = enqueue(&app).await;
        let mut once = Worker::new(Act::Fails);
        once.policy.attempts = Some(1);
        assert_eq!(once.on(&app).drain(KIND).await.expect("a look").failed, 1);
        for (days, is_there) in [(29, true), (2, false)] {
            app.state.clock.advance(days * 86_400);
            app.state.privacy.delete_expired().await.expect("a pass");
            assert_eq!(find(&app, subject).await.is_some(), is_there, "{days}");
        }
    }
}
