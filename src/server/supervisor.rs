//! The background tasks of this process: restarts them when they panic, reports them to `/health/ready`, and waits for
//! them at shutdown.

use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::FutureExt;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The delay before a panicked task is restarted. It doubles with each further panic.
const MIN_RESTART_DELAY: Duration = Duration::from_millis(250);
/// The maximum delay.
const MAX_RESTART_DELAY: Duration = Duration::from_secs(30);
/// The maximum delay of a vital task: the leases of answers that are being generated last 20 s.
const MAX_VITAL_RESTART_DELAY: Duration = Duration::from_secs(5);
/// The time after which a task counts as stable: its next panic gets the first delay again.
const STABLE_AFTER: Duration = Duration::from_secs(60);
/// How long shutdown waits for the tasks, counted from the stop signal. The documented limit for stopping is 15 s.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(11);

/// What happens to a task at shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnShutdown {
    /// It is cancelled at any `.await`: its work can be interrupted anywhere and is resumed by another instance or
    /// after a restart.
    Cancel,
    /// It ends by itself, and shutdown waits for it.
    Wait,
}

/// The description of a task.
#[derive(Debug, Clone, Copy)]
pub struct TaskSpec {
    /// The name, for the log and for `/health/ready`.
    pub name: &'static str,
    /// Whether the server is not ready without it.
    pub vital: bool,
    /// What happens to it at shutdown.
    pub on_shutdown: OnShutdown,
}

/// Runs and restarts the background tasks. Shared by cloning.
#[derive(Clone)]
pub struct Supervisor(Arc<Inner>);

struct Inner {
    stopping: CancellationToken,
    stopped_at: OnceLock<Instant>,
    tracker: TaskTracker,
    tasks: Mutex<Vec<Arc<Task>>>,
}

struct Task {
    spec: TaskSpec,
    down: AtomicBool,
    ended: AtomicBool,
    panics: AtomicU64,
    /// Set by tests to make the task panic.
    failing: watch::Sender<bool>,
}

impl Supervisor {
    /// Creates a supervisor without tasks. Tasks end when `stopping` is cancelled.
    pub fn new(stopping: CancellationToken) -> Self {
        let (tracker, tasks) = (TaskTracker::new(), Mutex::default());
        let supervisor = Self(Arc::new(Inner { stopping, stopped_at: OnceLock::new(), tracker, tasks }));
        let inner = Arc::clone(&supervisor.0);
        supervisor.0.tracker.spawn(async move {
            inner.stopping.cancelled().await;
            inner.stopped_at.get_or_init(Instant::now);
        });
        supervisor
    }

    /// Starts a task, and restarts it whenever it panics or ends before shutdown. `work` creates the task's future;
    /// state that must survive a panic belongs outside of it.
    pub fn spawn<F>(&self, spec: TaskSpec, work: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = Arc::new(Task {
            spec,
            down: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            panics: AtomicU64::new(0),
            failing: watch::channel(false).0,
        });
        self.tasks().push(Arc::clone(&task));
        let stopping = self.0.stopping.clone();
        self.0.tracker.spawn(async move {
            task.run_supervised(&stopping, work).await;
            task.ended.store(true, Ordering::Relaxed);
        });
    }

    /// The names of the vital tasks that are not running.
    pub fn down(&self) -> Vec<&'static str> {
        let is_down = |task: &&Arc<Task>| task.spec.vital && task.down.load(Ordering::Relaxed);
        self.tasks().iter().filter(is_down).map(|task| task.spec.name).collect()
    }

    /// Waits, with a timeout, until `first` is done and all tasks have ended. Call it after `stopping` is cancelled.
    pub async fn finish(&self, first: impl Future<Output = ()>) {
        self.0.tracker.close();
        let deadline = *self.0.stopped_at.get_or_init(Instant::now) + SHUTDOWN_TIMEOUT;
        let ended = timeout_at(deadline, async {
            first.await;
            self.0.tracker.wait().await;
        });
        if ended.await.is_err() {
            let tasks = self.tasks();
            let working = tasks.iter().filter(|task| !task.ended.load(Ordering::Relaxed)).map(|task| task.spec.name);
            let working = working.collect::<Vec<_>>().join(", ");
            tracing::warn!(working, "stopping without waiting any longer for background tasks");
        }
    }

    /// The names of all tasks.
    pub fn names(&self) -> Vec<&'static str> {
        self.tasks().iter().map(|task| task.spec.name).collect()
    }

    /// The number of panics of a task.
    pub fn panics(&self, name: &str) -> u64 {
        self.find(name).map_or(0, |task| task.panics.load(Ordering::Relaxed))
    }

    /// For tests: makes a task panic, now and after each restart, until it is set to `false`.
    pub fn set_failing(&self, name: &str, failing: bool) {
        if let Some(task) = self.find(name) {
            task.failing.send_replace(failing);
        }
    }

    fn find(&self, name: &str) -> Option<Arc<Task>> {
        self.tasks().iter().find(|task| task.spec.name == name).cloned()
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<Arc<Task>>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    async fn run_supervised<F: Future<Output = ()>>(&self, stopping: &CancellationToken, work: impl Fn() -> F) {
        let mut pause = MIN_RESTART_DELAY;
        loop {
            let started_at = Instant::now();
            self.down.store(false, Ordering::Relaxed);
            let working = AssertUnwindSafe(async { self.run_unless_failing(work()).await }).catch_unwind();
            let ended = tokio::select! {
                () = stopping.cancelled(), if self.spec.on_shutdown == OnShutdown::Cancel => return,
                ended = working => ended,
            };
            if ended.is_ok() && stopping.is_cancelled() {
                return;
            }
            self.down.store(true, Ordering::Relaxed);
            if started_at.elapsed() > STABLE_AFTER {
                pause = MIN_RESTART_DELAY;
            }
            let task = self.spec.name;
            // The panic itself was already logged by the panic hook.
            let panics =
                self.panics.fetch_add(u64::from(ended.is_err()), Ordering::Relaxed) + u64::from(ended.is_err());
            tracing::error!(task, panics, ?pause, panicked = ended.is_err(), "a background task ended; restarting it");
            tokio::select! {
                () = stopping.cancelled(), if self.spec.on_shutdown == OnShutdown::Cancel => return,
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(if self.spec.vital { MAX_VITAL_RESTART_DELAY } else { MAX_RESTART_DELAY });
        }
    }

    async fn run_unless_failing(&self, work: impl Future<Output = ()>) {
        let mut failing = self.failing.subscribe();
        tokio::select! {
            biased;
            () = async { drop(failing.wait_for(|failing| *failing).await) } => panic!("a test has this task fail"),
            () = work => {}
        }
    }
}
