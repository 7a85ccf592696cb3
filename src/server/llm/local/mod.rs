//! Models that run on this machine: GGUF files through llama.cpp. Each runs in its own process, so that a crash in
//! native code costs one answer and not the server.
//!
//! In the server, `host` starts and stops the process, `queue` orders the requests, and `child` talks to the process.
//! In the process, [`worker`] reads commands and writes events, and `engine` drives the library. `protocol` defines the
//! messages between them. They share nothing but the pipe.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{DeltaStream, Model, Prompt};

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

pub use folder::{ModelFile, ModelFolder};
pub use gguf::FileKind;
pub use worker_args::WorkerArgs;

use queue::Job;

/// How local models are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program that runs a model, as `program model-worker --model FILE …`.
    pub program: PathBuf,
    /// Number of threads. 0 means one less than the number of cores.
    pub threads: u32,
    /// The maximum context length in tokens, if it should be shorter than the file allows.
    pub context: Option<u32>,
    /// Idle time after which a model is unloaded.
    pub idle_timeout: Duration,
    /// The maximum time to load a model.
    pub load_timeout: Duration,
    /// The maximum time between two events while a model answers.
    pub silence_timeout: Duration,
    /// The maximum time to react to a cancellation before the process is killed.
    pub stop_timeout: Duration,
}

impl Settings {
    /// The context length in tokens with which a model runs that was trained for this one.
    pub fn context_of(&self, trained_context: u32) -> u32 {
        trained_context.min(self.context.unwrap_or(engine::DEFAULT_CONTEXT))
    }

    /// The default settings for this program.
    pub const fn new(program: PathBuf) -> Self {
        Self {
            program,
            threads: 0,
            context: None,
            idle_timeout: Duration::from_secs(600),
            load_timeout: Duration::from_secs(300),
            silence_timeout: Duration::from_secs(120),
            stop_timeout: Duration::from_secs(10),
        }
    }
}

/// One model file. Its process runs only while it is in use and this handle exists.
#[derive(Debug)]
pub struct LocalModel {
    file: PathBuf,
    settings: Settings,
    /// The channel to the host task. `None` before the first request.
    queue: Arc<Mutex<Option<mpsc::UnboundedSender<Job>>>>,
}

impl LocalModel {
    /// The model in `file`. Nothing is loaded yet.
    pub fn new(file: &Path, settings: Settings) -> Self {
        Self { file: file.to_owned(), settings, queue: Arc::default() }
    }
}

impl Model for LocalModel {
    fn answer(&self, prompt: Prompt, stop: CancellationToken) -> DeltaStream {
        let (queue, file, settings) = (Arc::clone(&self.queue), self.file.clone(), self.settings.clone());
        let stopped = stop.clone();
        let request = async move {
            let (job, answer) = Job::new(prompt, stop);
            submit(&queue, job, file, settings);
            stream::unfold(answer, |mut answer| async move { answer.recv().await.map(|item| (item, answer)) })
        };
        stream::once(request).flatten().take_until(stopped.cancelled_owned()).boxed()
    }
}

/// Sends a request to the host task of the model, and starts one if none is running.
fn submit(queue: &Mutex<Option<mpsc::UnboundedSender<Job>>>, job: Job, file: PathBuf, settings: Settings) {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let unsent = match &*queue {
        Some(sender) => sender.send(job).err().map(|mpsc::error::SendError(job)| job),
        None => Some(job),
    };
    if let Some(job) = unsent {
        let (sender, receiver) = mpsc::unbounded_channel();
        // Cannot fail: the receiver still exists.
        let _ = sender.send(job);
        tokio::spawn(host::run(file, settings, receiver));
        *queue = Some(sender);
    }
}
