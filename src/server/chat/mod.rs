//! Chats, and the runs that generate their answers.
//!
//! Runs are stored in the database: sending a message inserts a run, a worker claims it, and readers only follow it.
//! `hub` holds the runs of this process, `pipeline` filters the output of the model, `writer` saves progress to the
//! database, `sweep` takes over the runs of dead workers, `cleanup` removes deleted chats, `titles` has models write their
//! titles, `versions` selects which of several versions of a message is shown, and `branches` copies or deletes a part of
//! the message tree.

mod branches;
mod cleanup;
mod event;
mod hub;
mod instance;
mod list;
mod live;
mod pipeline;
mod prompt;
mod read;
mod reader;
mod run;
mod send;
mod sweep;
mod titles;
mod versions;
mod writer;

use std::sync::Arc;

use instance::Instance;
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub use cleanup::RemoveChats;
pub use event::{Event, EventId};
pub use reader::RunReader;
pub use send::OutgoingMessage;
pub use titles::WriteTitle;

use super::{
    clock::Clock,
    config::{Config, Titles},
    egress::Egress,
    llm::Models,
    store::Store,
    supervisor::{OnShutdown, Supervisor, TaskSpec},
};

/// The chat service. Cheap to clone.
#[derive(Clone)]
pub struct Chats(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    models: Models,
    hub: hub::Hub,
    writer: writer::Writer,
    html_cache: read::HtmlCache,
    /// The id of this process, as the owner of leases.
    worker: Uuid,
    /// Shows other processes on this machine that this one is alive.
    instance: Instance,
    /// The maximum number of answers per user that are generated at the same time. Further ones are queued.
    answers_per_person: u32,
    /// Which models write titles.
    titles: Titles,
    /// Cancelled when the process is asked to stop.
    shutdown: CancellationToken,
    /// The runs that are being executed.
    tasks: TaskTracker,
}

impl Inner {
    /// Returns when the process is stopping and all of its runs have ended.
    async fn wait_for_shutdown(&self) {
        self.shutdown.cancelled().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Chats {
    /// Starts the background tasks. They run until `shutdown`, the writer until the last run has ended.
    pub fn start(
        store: Store,
        clock: Clock,
        config: &Config,
        egress: &Egress,
        supervisor: &Supervisor,
        shutdown: CancellationToken,
    ) -> Self {
        let (writer, queue) = writer::Writer::new();
        let worker = clock.new_id();
        let chats = Self(Arc::new(Inner {
            store,
            clock,
            models: Models::new(config, egress),
            hub: hub::Hub::default(),
            writer,
            html_cache: read::HtmlCache::default(),
            worker,
            instance: Instance::new(&config.data, worker),
            answers_per_person: config.answers_per_person,
            titles: config.titles,
            shutdown,
            tasks: TaskTracker::new(),
        }));
        let (inner, queue) = (chats.0.clone(), Arc::new(Mutex::new(queue)));
        let spec = TaskSpec { name: "answers", vital: true, on_shutdown: OnShutdown::Wait };
        supervisor.spawn(spec, move || writer::run_loop(inner.clone(), queue.clone()));
        let sweeping = chats.clone();
        let spec = TaskSpec { name: "sweep", vital: false, on_shutdown: OnShutdown::Cancel };
        supervisor.spawn(spec, move || sweep::run_loop(sweeping.clone()));
        chats
    }

    /// Waits until every run of this process has saved its progress. Call it after `shutdown` is cancelled.
    pub async fn wait_for_runs(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// The available models.
    pub fn models(&self) -> &Models {
        &self.0.models
    }

    /// The number of answers that this process is generating.
    pub fn open_runs(&self) -> usize {
        self.0.hub.len()
    }
}
