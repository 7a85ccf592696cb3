//! The server's handle to the worker process of a model.

use std::{
    collections::VecDeque,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use futures::StreamExt;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{ChildStderr, ChildStdin, ChildStdout, Command},
};
use tokio_util::codec::{FramedRead, LinesCodec};

use super::{
    super::ModelError,
    Settings,
    protocol::{Event, WorkerCommand},
};
use crate::domain::Failure;

/// The maximum length of a line from the process, in bytes.
const MAX_LINE_BYTES: usize = 1_000_000;
/// How many of the last log lines are kept for crash reports.
const CRASH_LOG_LINES: usize = 5;

/// A running process. Killed on drop.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    stdin: ChildStdin,
    events: FramedRead<ChildStdout, LinesCodec>,
    recent_log: Arc<Mutex<VecDeque<String>>>,
    next_id: u64,
    /// Whether the model has been loaded.
    pub ready: bool,
}

impl Child {
    /// Starts the worker process for a model file.
    ///
    /// # Errors
    /// `Crashed`, if the program cannot be started.
    pub fn start(file: &Path, settings: &Settings) -> Result<Self, ModelError> {
        let start_error = |what: &str| ModelError::new(Failure::Crashed, what);
        let mut command = Command::new(&settings.program);
        command.arg("model-worker").arg("--model").arg(file).arg("--threads").arg(settings.threads.to_string());
        if let Some(context) = settings.context {
            command.arg("--context").arg(context.to_string());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Its own process group, because Ctrl+C in the terminal is for the server, which shuts down gracefully.
        #[cfg(unix)]
        command.process_group(0);
        let mut process =
            command.spawn().map_err(|fault| start_error(&format!("cannot start the model worker: {fault}")))?;
        let stdin = process.stdin.take().ok_or_else(|| start_error("the worker has no standard input"))?;
        let events = process.stdout.take().ok_or_else(|| start_error("the worker has no standard output"))?;
        let recent_log = Arc::default();
        if let Some(log) = process.stderr.take() {
            tokio::spawn(forward_log(log, Arc::clone(&recent_log)));
        }
        let events = FramedRead::new(events, LinesCodec::new_with_max_length(MAX_LINE_BYTES));
        Ok(Self { process, stdin, events, recent_log, next_id: 1, ready: false })
    }

    /// The id for the next answer.
    pub const fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Sends a command.
    ///
    /// # Errors
    /// `Crashed`, if the process has exited.
    pub async fn send(&mut self, command: &WorkerCommand) -> Result<(), ModelError> {
        let mut line =
            serde_json::to_vec(command).map_err(|fault| ModelError::new(Failure::Crashed, fault.to_string()))?;
        line.push(b'\n');
        if self.stdin.write_all(&line).await.is_err() {
            return Err(self.exit_error().await);
        }
        Ok(())
    }

    /// The next event. Cancel safe.
    ///
    /// # Errors
    /// `Crashed`, if the process has exited.
    pub async fn next_event(&mut self) -> Result<Event, ModelError> {
        loop {
            match self.events.next().await {
                Some(Ok(line)) => match serde_json::from_str(&line) {
                    Ok(event) => return Ok(event),
                    Err(_) => {
                        tracing::debug!(bytes = line.len(), "ignored invalid output of a model worker")
                    }
                },
                Some(Err(fault)) => {
                    return Err(ModelError::new(Failure::Crashed, format!("invalid output of the worker: {fault}")));
                }
                None => return Err(self.exit_error().await),
            }
        }
    }

    /// The error for a process that has exited.
    async fn exit_error(&mut self) -> ModelError {
        // It may only have closed its output. It is unusable then too.
        let _ = self.process.start_kill();
        let status = self.process.wait().await.map_or_else(|fault| fault.to_string(), |status| status.to_string());
        let lines = self.recent_log.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        ModelError::new(Failure::Crashed, format!("the model worker exited ({status}): {}", lines.join(" / ")))
    }
}

/// Forwards the log of the process.
async fn forward_log(log: ChildStderr, recent_log: Arc<Mutex<VecDeque<String>>>) {
    let mut lines = BufReader::new(log).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).into_owned();
        tracing::debug!(target: "colloquy::model", "{line}");
        let mut recent_log = recent_log.lock().unwrap_or_else(PoisonError::into_inner);
        recent_log.push_back(line);
        if recent_log.len() > CRASH_LOG_LINES {
            recent_log.pop_front();
        }
    }
}
