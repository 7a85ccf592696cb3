//! The protocol between the server and a model's worker process: one JSON object per line, over standard input and
//! output.

use serde::{Deserialize, Serialize};

use super::super::{FinishReason, Prompt, Usage};
use crate::domain::Failure;

/// A command to the worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerCommand {
    /// Answer this prompt. Requests are served one after the other.
    Generate {
        /// The id of the answer, repeated in its events.
        id: u64,
        /// The prompt.
        prompt: Prompt,
    },
    /// Stop the answer with this id immediately.
    Cancel {
        /// The id of the answer.
        id: u64,
    },
}

/// An event from the worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The model is loaded.
    Ready {
        /// The context window in tokens.
        context: u32,
    },
    /// This many of the oldest turns did not fit into the context window and were omitted.
    TruncatedMessages {
        /// The id of the answer.
        id: u64,
        /// The number of turns.
        count: u32,
    },
    /// The prompt is being read. Serves as a heartbeat.
    Reading {
        /// The id of the answer.
        id: u64,
    },
    /// A chunk of the answer.
    Text {
        /// The id of the answer.
        id: u64,
        /// The text of the chunk.
        text: String,
    },
    /// The answer has ended or was cancelled.
    End {
        /// The id of the answer.
        id: u64,
        /// Why the answer ended. `None` if it was cancelled.
        finish: Option<FinishReason>,
        /// Tokens read and generated.
        usage: Usage,
    },
    /// The answer failed. Without an id, the model could not be loaded and the process exits.
    Error {
        /// The id of the answer.
        id: Option<u64>,
        /// The category for the user.
        failure: Failure,
        /// The detail for the log.
        detail: String,
    },
}
