//! The process of a model, seen from the server.

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
    protocol::{Event, Order},
};
use crate::domain::Failure;

/// The longest line that is taken from a process, in bytes.
const LINE_BYTES: usize = 1_000_000;
/// How many of its last log lines are kept for the report of a crash.
const LAST_WORDS: usize = 5;

/// A running process. It is killed when this is dropped.
#[derive(Debug)]
pub struct Child {
    process: tokio::process::Child,
    orders: ChildStdin,
    events: FramedRead<ChildStdout, LinesCodec>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    next_id: u64,
    /// Whether the model has been loaded.
    pub ready: bool,
}

impl Child {
    /// Starts the process of a model file.
    ///
    /// # Errors
    /// `Crashed`, if the program cannot be started.
    pub fn start(file: &Path, settings: &Settings) -> Result<Self, ModelError> {
        let broken = |what: &str| ModelError::new(Failure::Crashed, what);
        let mut command = Command::new(&settings.program);
        command.arg("model-worker").arg("--model").arg(file).arg("--threads").arg(settings.threads.to_string());
        if let Some(context) = settings.context {
            command.arg("--context").arg(context.to_string());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // Not in the terminal's group: Ctrl+C is for the server, which first finishes what it does.
        #[cfg(unix)]
        command.process_group(0);
        let mut process =
            command.spawn().map_err(|fault| broken(&format!("the program for models does not start: {fault}")))?;
        let orders = process.stdin.take().ok_or_else(|| broken("no input"))?;
        let events = process.stdout.take().ok_or_else(|| broken("no output"))?;
        let last_words = Arc::default();
        if let Some(log) = process.stderr.take() {
            tokio::spawn(follow(log, Arc::clone(&last_words)));
        }
        let events = FramedRead::new(events, LinesCodec::new_with_max_length(LINE_BYTES));
        Ok(Self { process, orders, events, last_words, next_id: 1, ready: false })
    }

    /// A number for the next answer.
    pub const fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Gives an order.
    ///
    /// # Errors
    /// `Crashed`, if the process is not there any more.
    pub async fn order(&mut self, order: &Order) -> Result<(), ModelError> {
        let mut line =
            serde_json::to_vec(order).map_err(|fault| ModelError::new(Failure::Crashed, fault.to_string()))?;
        line.push(b'\n');
        if self.orders.write_all(&line).await.is_err() {
            return Err(self.crashed().await);
        }
        Ok(())
    }

    /// What it tells next. May be dropped while it waits.
    ///
    /// # Errors
    /// `Crashed`, if the process has ended.
    pub async fn event(&mut self) -> Result<Event, ModelError> {
        loop {
            match self.events.next().await {
                Some(Ok(line)) => match serde_json::from_str(&line) {
                    Ok(event) => return Ok(event),
                    Err(_) => {
                        tracing::debug!(bytes = line.len(), "a model's process wrote something else than an event")
                    }
                },
                Some(Err(fault)) => return Err(ModelError::new(Failure::Crashed, format!("its output: {fault}"))),
                None => return Err(self.crashed().await),
            }
        }
    }

    /// Why it has ended.
    async fn crashed(&mut self) -> ModelError {
        // It may have closed its output only; then it is of no use either.
        let _ = self.process.start_kill();
        let status = self.process.wait().await.map_or_else(|fault| fault.to_string(), |status| status.to_string());
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        ModelError::new(Failure::Crashed, format!("the model's process ended ({status}): {}", words.join(" / ")))
    }
}

/// Passes on what the library logs.
async fn follow(log: ChildStderr, last_words: Arc<Mutex<VecDeque<String>>>) {
    let mut lines = BufReader::new(log).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).into_owned();
        tracing::debug!(target: "colloquy::model", "{line}");
        let mut last_words = last_words.lock().unwrap_or_else(PoisonError::into_inner);
        last_words.push_back(line);
        if last_words.len() > LAST_WORDS {
            last_words.pop_front();
        }
    }
}
