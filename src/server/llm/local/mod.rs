//! Models that run on this machine: GGUF files through llama.cpp, each in a process of its own, so that a fault in native
//! code costs one answer and not the server.
//!
//! The server's side is `host` (when a process is started and freed), `queue` (who is next) and `child` (talking to
//! it); the process's side is [`worker`] (orders in, events out) and `engine` (the library). Between them is
//! `protocol`. Nothing is shared but the pipe.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Deltas, Model, Prompt};

pub mod bench;
mod child;
mod engine;
mod folder;
mod gguf;
mod host;
mod protocol;
mod queue;
mod template;
mod utf8;
pub mod worker;
mod worker_args;

pub use folder::{Folder, ModelFile};
pub use gguf::Kind;
pub use worker_args::WorkerArgs;

use queue::Job;

/// How models on this machine are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program that runs a model, as `program model-worker --model FILE …`.
    pub program: PathBuf,
    /// Threads to compute with; 0 for one less than there are cores.
    pub threads: u32,
    /// The longest context in tokens, where it should be shorter than the file allows.
    pub context: Option<u32>,
    /// Time without use after which a model is freed.
    pub idle: Duration,
    /// How long loading may take.
    pub loading: Duration,
    /// How long a model may give no sign of life while it answers.
    pub silence: Duration,
    /// How long it may take to hear that it should stop, before it is ended by force.
    pub stopping: Duration,
}

impl Settings {
    /// The usual times, with this program.
    pub const fn new(program: PathBuf) -> Self {
        Self {
            program,
            threads: 0,
            context: None,
            idle: Duration::from_secs(600),
            loading: Duration::from_secs(300),
            silence: Duration::from_secs(120),
            stopping: Duration::from_secs(10),
        }
    }
}

/// One model file. The process behind it lives as long as it is used and this is kept.
#[derive(Debug)]
pub struct LocalModel {
    file: PathBuf,
    settings: Settings,
    /// Where questions go; there once the first has been asked.
    queue: Arc<Mutex<Option<mpsc::UnboundedSender<Job>>>>,
}

impl LocalModel {
    /// The model in `file`. Nothing is loaded yet.
    pub fn new(file: &Path, settings: Settings) -> Self {
        Self { file: file.to_owned(), settings, queue: Arc::default() }
    }
}

impl Model for LocalModel {
    fn answer(&self, prompt: Prompt, stop: CancellationToken) -> Deltas {
        let (queue, file, settings) = (Arc::clone(&self.queue), self.file.clone(), self.settings.clone());
        let stopped = stop.clone();
        let ask = async move {
            let (job, answer) = Job::new(prompt, stop);
            submit(&queue, job, file, settings);
            stream::unfold(answer, |mut answer| async move { answer.recv().await.map(|item| (item, answer)) })
        };
        stream::once(ask).flatten().take_until(stopped.cancelled_owned()).boxed()
    }
}

/// Hands a question to the host of the model, and starts one where there is none.
fn submit(queue: &Mutex<Option<mpsc::UnboundedSender<Job>>>, job: Job, file: PathBuf, settings: Settings) {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let refused = match &*queue {
        Some(sender) => sender.send(job).err().map(|mpsc::error::SendError(job)| job),
        None => Some(job),
    };
    if let Some(job) = refused {
        let (sender, receiver) = mpsc::unbounded_channel();
        // The receiver is still here, so this cannot fail.
        let _ = sender.send(job);
        tokio::spawn(host::run(file, settings, receiver));
        *queue = Some(sender);
    }
}
