//! The lifecycle of a local model: loaded on the first request, unloaded when idle, restarted after a crash.

use std::path::PathBuf;

use tokio::{sync::mpsc, time::timeout};

use super::{
    super::{
        Delta, ModelError,
        delta_buffer::{DeltaBuffer, MAX_ANSWER_BYTES},
    },
    Settings,
    child::Child,
    protocol::{Event, WorkerCommand},
    queue::{Job, Queue},
};
use crate::domain::Failure;

/// One model file and its process, if one is running.
struct Host {
    file: PathBuf,
    settings: Settings,
    child: Option<Child>,
    /// Whether the process has sent an event for the current answer.
    has_responded: bool,
}

/// Serves the requests from `jobs` until the channel is closed.
pub async fn run(file: PathBuf, settings: Settings, jobs: mpsc::UnboundedReceiver<Job>) {
    let mut queue = Queue::new(jobs);
    let mut host = Host { file, settings, child: None, has_responded: false };
    loop {
        let job = tokio::select! {
            biased;
            job = queue.next() => job,
            () = host.wait_until_unused() => {
                host.child = None;
                continue;
            }
        };
        let Some(job) = job else { break };
        tokio::select! {
            () = host.serve(&job) => {}
            infallible = queue.maintain() => match infallible {},
        }
    }
}

impl Host {
    /// Returns when the process should be dropped: after the idle timeout, or when it has exited. Never returns while
    /// none is running.
    async fn wait_until_unused(&mut self) {
        let Some(child) = &mut self.child else { return std::future::pending().await };
        let exited = async {
            // Late events about a cancelled answer are ignored.
            while child.next_event().await.is_ok() {}
        };
        match timeout(self.settings.idle_timeout, exited).await {
            Ok(()) => tracing::warn!(file = %self.file.display(), "the worker process of an idle model has exited"),
            Err(_) => tracing::info!(file = %self.file.display(), "unloaded an idle model"),
        }
    }

    /// Answers one request. A process that failed is not reused. If a process that was idle dies before its first
    /// event, the request is retried once on a new process.
    async fn serve(&mut self, job: &Job) {
        let was_idle = self.child.is_some();
        let mut result = self.answer(job).await;
        if was_idle && !self.has_responded && matches!(&result, Err(fault) if fault.failure == Failure::Crashed) {
            self.child = None;
            result = self.answer(job).await;
        }
        if let Err(fault) = result {
            if fault.failure == Failure::Crashed {
                tracing::warn!(file = %self.file.display(), %fault, "a model worker failed");
            }
            self.child = None;
            job.send(Err(fault));
        }
    }

    /// Answers one request. On an error the process must be dropped.
    async fn answer(&mut self, job: &Job) -> Result<(), ModelError> {
        let Self { file, settings, child, has_responded } = self;
        *has_responded = false;
        let child = match child {
            Some(child) => child,
            None => {
                if !tokio::fs::try_exists(&*file).await.unwrap_or(false) {
                    return Err(ModelError::new(Failure::ModelGone, "the model file is missing"));
                }
                child.insert(Child::start(file, settings)?)
            }
        };
        if !child.ready {
            job.send(Ok(Delta::Loading));
            tokio::select! {
                loaded = timeout(settings.load_timeout, wait_until_loaded(child)) => loaded.map_err(|_| timed_out("loading"))??,
                // The model keeps loading for the next request.
                () = job.cancelled() => return Ok(()),
            }
        }
        let id = child.new_id();
        child.send(&WorkerCommand::Generate { id, prompt: job.prompt.clone() }).await?;
        let finished = tokio::select! {
            outcome = forward_answer(child, id, job, settings, has_responded) => outcome?,
            () = job.cancelled() => false,
        };
        if !finished {
            child.send(&WorkerCommand::Cancel { id }).await?;
            timeout(settings.stop_timeout, wait_for_end(child, id)).await.map_err(|_| timed_out("stopping"))??;
        }
        Ok(())
    }
}

/// Waits until the model is loaded.
async fn wait_until_loaded(child: &mut Child) -> Result<(), ModelError> {
    loop {
        match child.next_event().await? {
            Event::Ready { context } => {
                tracing::info!(context, "loaded a model");
                child.ready = true;
                return Ok(());
            }
            Event::Error { failure, detail, .. } => return Err(ModelError::new(failure, detail)),
            _ => {}
        }
    }
}

/// Forwards an answer to its end, or until it exceeds the size limit. Returns `false` in the second case, because the
/// process is then still generating.
async fn forward_answer(
    child: &mut Child,
    id: u64,
    job: &Job,
    settings: &Settings,
    has_responded: &mut bool,
) -> Result<bool, ModelError> {
    let mut buffer = DeltaBuffer::new(MAX_ANSWER_BYTES);
    loop {
        let event =
            timeout(settings.silence_timeout, child.next_event()).await.map_err(|_| timed_out("answering"))??;
        *has_responded = true;
        let mut finished = false;
        match event {
            Event::Text { id: of, text } if of == id => buffer.push_text(&text),
            Event::TruncatedMessages { id: of, count } if of == id => buffer.push(Delta::TruncatedMessages(count)),
            Event::End { id: of, finish: Some(finish), usage } if of == id => {
                buffer.finish(finish, Some(usage));
                finished = true;
            }
            Event::Error { id: Some(of), failure, detail } if of == id => {
                buffer.fail(ModelError::new(failure, detail));
                finished = true;
            }
            _ => {}
        }
        while let Some(item) = buffer.next() {
            job.send(item);
        }
        if finished || buffer.has_ended() {
            return Ok(finished);
        }
    }
}

/// Waits for a cancelled answer to end.
async fn wait_for_end(child: &mut Child, id: u64) -> Result<(), ModelError> {
    loop {
        match child.next_event().await? {
            Event::End { id: of, .. } | Event::Error { id: Some(of), .. } if of == id => return Ok(()),
            _ => {}
        }
    }
}

fn timed_out(what: &str) -> ModelError {
    ModelError::new(Failure::TimedOut, format!("{what} took too long"))
}
