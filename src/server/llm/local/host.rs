//! The life of a model: loaded at the first question, freed when nobody asks, started again after a crash.

use std::path::PathBuf;

use tokio::{sync::mpsc, time::timeout};

use super::{
    super::{
        Delta, ModelError,
        pieces::{ANSWER_BYTES, Pieces},
    },
    Settings,
    child::Child,
    protocol::{Event, Order},
    queue::{Job, Queue},
};
use crate::domain::Failure;

/// One model file and its process, where one runs.
struct Host {
    file: PathBuf,
    settings: Settings,
    child: Option<Child>,
    /// Whether the process has said anything about the answer that it writes now.
    begun: bool,
}

/// Serves the questions that come through `jobs`, until it is closed.
pub async fn run(file: PathBuf, settings: Settings, jobs: mpsc::UnboundedReceiver<Job>) {
    let mut queue = Queue::new(jobs);
    let mut host = Host { file, settings, child: None, begun: false };
    loop {
        let job = tokio::select! {
            biased;
            job = queue.next() => job,
            () = host.rest() => {
                host.child = None;
                continue;
            }
        };
        let Some(job) = job else { break };
        tokio::select! {
            () = host.serve(&job) => {}
            never = queue.tend() => match never {},
        }
    }
}

impl Host {
    /// Ends when the process should be freed: after the idle time, or when it has died. Never where none runs.
    async fn rest(&mut self) {
        let Some(child) = &mut self.child else { return std::future::pending().await };
        let died = async {
            // Late words about an answer that nobody waits for mean nothing.
            while child.event().await.is_ok() {}
        };
        match timeout(self.settings.idle, died).await {
            Ok(()) => tracing::warn!(file = %self.file.display(), "the process of an idle model has ended"),
            Err(_) => tracing::info!(file = %self.file.display(), "freed a model that nobody asks"),
        }
    }

    /// Answers one question. A process that has failed is not used again; one that was idle and dies before its first
    /// word was dying already, and costs no answer.
    async fn serve(&mut self, job: &Job) {
        let was_idle = self.child.is_some();
        let mut done = self.answer(job).await;
        if was_idle && !self.begun && matches!(&done, Err(fault) if fault.failure == Failure::Crashed) {
            self.child = None;
            done = self.answer(job).await;
        }
        if let Err(fault) = done {
            if fault.failure == Failure::Crashed {
                tracing::warn!(file = %self.file.display(), %fault, "a model broke off");
            }
            self.child = None;
            job.tell(Err(fault));
        }
    }

    /// Answers one question; an error is the end of the process.
    async fn answer(&mut self, job: &Job) -> Result<(), ModelError> {
        let Self { file, settings, child, begun } = self;
        *begun = false;
        let child = match child {
            Some(child) => child,
            None => {
                if !tokio::fs::try_exists(&*file).await.unwrap_or(false) {
                    return Err(ModelError::new(Failure::ModelGone, "the model's file is not there"));
                }
                child.insert(Child::start(file, settings)?)
            }
        };
        if !child.ready {
            job.tell(Ok(Delta::Loading));
            tokio::select! {
                loaded = timeout(settings.loading, load(child)) => loaded.map_err(|_| late("loading"))??,
                // The model goes on loading for the next question.
                () = job.gone() => return Ok(()),
            }
        }
        let id = child.new_id();
        child.order(&Order::Generate { id, prompt: job.prompt.clone() }).await?;
        let finished = tokio::select! {
            written = write(child, id, job, settings, begun) => written?,
            () = job.gone() => false,
        };
        if !finished {
            child.order(&Order::Cancel { id }).await?;
            timeout(settings.stopping, silence(child, id)).await.map_err(|_| late("stopping"))??;
        }
        Ok(())
    }
}

/// Waits for the model to be loaded.
async fn load(child: &mut Child) -> Result<(), ModelError> {
    loop {
        match child.event().await? {
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

/// Passes an answer on to its end, or until it has grown too long: then it is not finished.
async fn write(
    child: &mut Child,
    id: u64,
    job: &Job,
    settings: &Settings,
    begun: &mut bool,
) -> Result<bool, ModelError> {
    let mut pieces = Pieces::new(ANSWER_BYTES);
    loop {
        let event = timeout(settings.silence, child.event()).await.map_err(|_| late("answering"))??;
        *begun = true;
        let mut finished = false;
        match event {
            Event::Text { id: of, text } if of == id => pieces.text(&text),
            Event::LeftOut { id: of, count } if of == id => pieces.tell(Delta::LeftOut(count)),
            Event::End { id: of, finish: Some(finish), usage } if of == id => {
                pieces.finish(finish, Some(usage));
                finished = true;
            }
            Event::Error { id: Some(of), failure, detail } if of == id => {
                pieces.fail(ModelError::new(failure, detail));
                finished = true;
            }
            _ => {}
        }
        while let Some(item) = pieces.next() {
            job.tell(item);
        }
        if finished || pieces.ended() {
            return Ok(finished);
        }
    }
}

/// Waits for a cancelled answer to end.
async fn silence(child: &mut Child, id: u64) -> Result<(), ModelError> {
    loop {
        match child.event().await? {
            Event::End { id: of, .. } | Event::Error { id: Some(of), .. } if of == id => return Ok(()),
            _ => {}
        }
    }
}

fn late(what: &str) -> ModelError {
    ModelError::new(Failure::TimedOut, format!("{what} took too long"))
}
