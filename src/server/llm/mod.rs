//! Models behind one small trait.

use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::domain::{Author, Failure};

pub mod catalogue;
pub mod local;
pub mod openai;

mod meter;
mod offers;
mod pieces;
mod think;
mod window;

pub use catalogue::{Models, Tried};
pub use local::{Kind as FileKind, ModelFile};
pub use meter::Meter;
pub use offers::Times;
pub use window::estimate as estimate_tokens;

/// What a model is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The instructions; they are never cut.
    pub system: String,
    /// The conversation, oldest first; the last turn is the person's.
    pub turns: Vec<Turn>,
    /// The beginning of an answer that the model is to continue, where it is not to start anew.
    pub answer_so_far: Option<String>,
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who spoke.
    pub author: Author,
    /// What was said.
    pub text: String,
}

/// What comes from a model. The stream ends after [`Delta::End`] or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// The request waits in a queue, at this place (1 is the next).
    Queued(u32),
    /// The model is being loaded.
    Loading,
    /// So many of the oldest turns do not fit and were left out.
    LeftOut(u32),
    /// A piece of the model's thinking.
    Reasoning(String),
    /// A piece of the answer.
    Text(String),
    /// All text of this answer so far was thinking: its end has come, though nothing had opened it.
    TextWasReasoning,
    /// Tokens read and written; 0 where the provider does not say.
    Usage(Usage),
    /// The answer is at its end.
    End(Finish),
}

/// Why a model ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It had said everything.
    Stop,
    /// Its output or context limit was reached.
    Length,
    /// The provider withheld the rest.
    Withheld,
    /// It wants a tool to be called.
    ToolCall,
}

/// Tokens of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read.
    pub prompt: u32,
    /// Tokens written.
    pub answer: u32,
}

/// A fault of a model: what the person is told, and what only the log is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure:?}: {detail}")]
pub struct ModelError {
    /// For the person.
    pub failure: Failure,
    /// For the log. Holds neither keys nor texts of messages.
    pub detail: String,
}

impl ModelError {
    /// A fault with a detail for the log.
    pub fn new(failure: Failure, detail: impl Into<String>) -> Self {
        Self { failure, detail: detail.into() }
    }
}

/// The stream of an answer.
pub type Deltas = BoxStream<'static, Result<Delta, ModelError>>;

/// Something that answers.
pub trait Model: Send + Sync {
    /// Begins an answer. Nothing is asked before the stream is polled. When `stop` is cancelled, or the stream is
    /// dropped, the work behind it ends within 200 ms; a cancelled stream simply ends.
    fn answer(&self, prompt: Prompt, stop: CancellationToken) -> Deltas;
}

/// Whether a name can be part of an id: not empty, not endless, and nothing in it that cannot be seen.
fn is_name(name: &str) -> bool {
    (1..=200).contains(&name.len()) && !name.chars().any(crate::domain::is_deceptive)
}
