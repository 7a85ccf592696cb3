//! What the server and the process of a model say to each other: one JSON object a line, over standard input and output.

use serde::{Deserialize, Serialize};

use super::super::{Finish, Prompt, Usage};
use crate::domain::Failure;

/// What the process is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Answer this. Orders are served one after the other.
    Generate {
        /// The number under which events of the answer come back.
        id: u64,
        /// What is asked.
        prompt: Prompt,
    },
    /// End the answer with this number now.
    Cancel {
        /// Which.
        id: u64,
    },
}

/// What the process tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The model is loaded.
    Ready {
        /// Its context window in tokens.
        context: u32,
    },
    /// So many of the oldest turns do not fit and were left out.
    LeftOut {
        /// Of which answer.
        id: u64,
        /// How many.
        count: u32,
    },
    /// The prompt is being read; a sign of life.
    Reading {
        /// Of which answer.
        id: u64,
    },
    /// A piece of the answer.
    Text {
        /// Of which answer.
        id: u64,
        /// The piece.
        text: String,
    },
    /// The answer has ended, or was cancelled: then there is no `finish`.
    End {
        /// Which answer.
        id: u64,
        /// Why it ended by itself.
        finish: Option<Finish>,
        /// What was read and written.
        usage: Usage,
    },
    /// The answer failed; without an id, the model could not be loaded and the process ends.
    Error {
        /// Which answer.
        id: Option<u64>,
        /// For the person.
        failure: Failure,
        /// For the log.
        detail: String,
    },
}
