//! The background tasks of this process: started again where they panic, watched for `/health/ready`, and waited for at the
//! end.

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

/// Pause before a task that panicked is started again. It doubles with each panic that follows.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LAST_PAUSE: Duration = Duration::from_secs(30);
/// The longest pause of a vital task: leases of answers that are being written hold for 20 s.
const LAST_VITAL_PAUSE: Duration = Duration::from_secs(5);
/// How long a task must have worked for its next panic to count as the first.
const SETTLED: Duration = Duration::from_secs(60);
/// How long the end waits for the tasks, from the moment when the server was asked to stop. An operator is promised that it
/// is gone within 15 s.
const STOP_PATIENCE: Duration = Duration::from_secs(11);

/// How a task ends when the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtStop {
    /// It is dropped where it stands: what it does can break off anywhere, and is begun anew by whoever comes next.
    Dropped,
    /// It comes to an end by itself, and is waited for.
    Finishes,
}

/// What there is to know about a task before it is started.
#[derive(Debug, Clone, Copy)]
pub struct Duty {
    /// Its name, for the log and for `/health/ready`.
    pub name: &'static str,
    /// Whether the server is of no use without it.
    pub vital: bool,
    /// How it ends when the server stops.
    pub at_stop: AtStop,
}

/// Keeps the background tasks at work. Shared by cloning.
#[derive(Clone)]
pub struct Supervisor(Arc<Inner>);

struct Inner {
    stopping: CancellationToken,
    stopped_at: OnceLock<Instant>,
    tracker: TaskTracker,
    tasks: Mutex<Vec<Arc<Task>>>,
}

struct Task {
    duty: Duty,
    down: AtomicBool,
    ended: AtomicBool,
    panics: AtomicU64,
    /// Whether a test wants it to panic.
    failing: watch::Sender<bool>,
}

impl Supervisor {
    /// Without tasks. They end when `stopping` is cancelled.
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

    /// Starts a task, and starts it again whenever it panics, or ends before the server stops. `work` makes the task; what
    /// must outlive a panic belongs outside of it.
    pub fn watch<F>(&self, duty: Duty, work: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = Arc::new(Task {
            duty,
            down: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            panics: AtomicU64::new(0),
            failing: watch::channel(false).0,
        });
        self.tasks().push(Arc::clone(&task));
        let stopping = self.0.stopping.clone();
        self.0.tracker.spawn(async move {
            task.keep_up(&stopping, work).await;
            task.ended.store(true, Ordering::Relaxed);
        });
    }

    /// The vital tasks that do not work now.
    pub fn down(&self) -> Vec<&'static str> {
        let is_down = |task: &&Arc<Task>| task.duty.vital && task.down.load(Ordering::Relaxed);
        self.tasks().iter().filter(is_down).map(|task| task.duty.name).collect()
    }

    /// Waits until `first` is done and all tasks have ended, but not for long. Call it after `stopping` was cancelled.
    pub async fn finish(&self, first: impl Future<Output = ()>) {
        self.0.tracker.close();
        let deadline = *self.0.stopped_at.get_or_init(Instant::now) + STOP_PATIENCE;
        let ended = timeout_at(deadline, async {
            first.await;
            self.0.tracker.wait().await;
        });
        if ended.await.is_err() {
            let tasks = self.tasks();
            let working = tasks.iter().filter(|task| !task.ended.load(Ordering::Relaxed)).map(|task| task.duty.name);
            let working = working.collect::<Vec<_>>().join(", ");
            tracing::warn!(working, "stopped without waiting any longer for what is being done");
        }
    }

    /// The names of all tasks.
    pub fn names(&self) -> Vec<&'static str> {
        self.tasks().iter().map(|task| task.duty.name).collect()
    }

    /// How often a task has panicked.
    pub fn panics(&self, name: &str) -> u64 {
        self.find(name).map_or(0, |task| task.panics.load(Ordering::Relaxed))
    }

    /// For tests: has a task panic, now and whenever it is started again, until that is taken back.
    pub fn set_failing(&self, name: &str, failing: bool) {
        if let Some(task) = self.find(name) {
            task.failing.send_replace(failing);
        }
    }

    fn find(&self, name: &str) -> Option<Arc<Task>> {
        self.tasks().iter().find(|task| task.duty.name == name).cloned()
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<Arc<Task>>> {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    async fn keep_up<F: Future<Output = ()>>(&self, stopping: &CancellationToken, work: impl Fn() -> F) {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            self.down.store(false, Ordering::Relaxed);
            let working = AssertUnwindSafe(async { self.unless_failing(work()).await }).catch_unwind();
            let ended = tokio::select! {
                () = stopping.cancelled(), if self.duty.at_stop == AtStop::Dropped => return,
                ended = working => ended,
            };
            if ended.is_ok() && stopping.is_cancelled() {
                return;
            }
            self.down.store(true, Ordering::Relaxed);
            if begun.elapsed() > SETTLED {
                pause = FIRST_PAUSE;
            }
            let task = self.duty.name;
            // Why it panicked is in the log already.
            let panics =
                self.panics.fetch_add(u64::from(ended.is_err()), Ordering::Relaxed) + u64::from(ended.is_err());
            tracing::error!(
                task,
                panics,
                ?pause,
                panicked = ended.is_err(),
                "a background task ended; it is started again"
            );
            tokio::select! {
                () = stopping.cancelled(), if self.duty.at_stop == AtStop::Dropped => return,
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(if self.duty.vital { LAST_VITAL_PAUSE } else { LAST_PAUSE });
        }
    }

    async fn unless_failing(&self, work: impl Future<Output = ()>) {
        let mut failing = self.failing.subscribe();
        tokio::select! {
            biased;
            () = async { drop(failing.wait_for(|failing| *failing).await) } => panic!("a test has this task fail"),
            () = work => {}
        }
    }
}
