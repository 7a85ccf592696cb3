//! Chats, and the runs that write their answers.
//!
//! A run lives in the database: sending writes it, a worker claims it, and whoever reads the answer only reads.
//! `hub` knows the runs of this process, `pipeline` stands between a model and the
//! readers, `writer` puts what was written into the database, `sweep` picks up what a dead
//! worker left behind, `cleanup` removes deleted chats.

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
mod writer;

use std::sync::Arc;

use instance::Instance;
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

pub use cleanup::RemoveChats;
pub use event::{Event, EventId};
pub use reader::Reader;
pub use send::Outgoing;

use super::{
    clock::Clock,
    config::Config,
    egress::Egress,
    llm::Models,
    store::Store,
    supervisor::{AtStop, Duty, Supervisor},
};

/// The chats of this installation.
#[derive(Clone)]
pub struct Chats(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    models: Models,
    hub: hub::Hub,
    writer: writer::Writer,
    rendered: read::Rendered,
    /// This process, as the owner of leases.
    worker: Uuid,
    /// Says to others on this machine that this process lives.
    instance: Instance,
    /// Answers of one person that are written at once; further ones wait for their turn.
    answers_per_person: u32,
    /// Cancelled when the process is asked to stop.
    shutdown: CancellationToken,
    /// The runs that are being executed.
    tasks: TaskTracker,
}

impl Inner {
    /// Comes back when the process stops and every run of it has ended.
    async fn runs_ended(&self) {
        self.shutdown.cancelled().await;
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Chats {
    /// Starts the engine: its tasks live until `shutdown`, and the writer until the last run has ended.
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
            rendered: read::Rendered::default(),
            worker,
            instance: Instance::new(&config.data, worker),
            answers_per_person: config.answers_per_person,
            shutdown,
            tasks: TaskTracker::new(),
        }));
        let (inner, queue) = (chats.0.clone(), Arc::new(Mutex::new(queue)));
        let duty = Duty { name: "answers", vital: true, at_stop: AtStop::Finishes };
        supervisor.watch(duty, move || writer::work(inner.clone(), queue.clone()));
        let sweeping = chats.clone();
        let duty = Duty { name: "sweep", vital: false, at_stop: AtStop::Dropped };
        supervisor.watch(duty, move || sweep::work(sweeping.clone()));
        chats
    }

    /// Waits until every run of this process has put down what it has. Call it after `shutdown` was cancelled.
    pub async fn drained(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// The models that can be asked.
    pub fn models(&self) -> &Models {
        &self.0.models
    }

    /// How many answers are being written by this process.
    pub fn open_runs(&self) -> usize {
        self.0.hub.len()
    }
}
