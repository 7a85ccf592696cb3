//! Language models behind one small trait.

use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::domain::{Author, Failure};

pub mod anthropic;
pub mod catalogue;
pub mod gemini;
pub mod local;
pub mod ollama;
pub mod openai;
pub mod remote;

mod delta_buffer;
mod meter;
mod model_list_cache;
mod reasoning;
mod window;

pub use catalogue::{Models, ProviderCheck};
pub use local::{FileKind, ModelFile};
pub use meter::UsageMeter;
pub use model_list_cache::ModelListTimings;
pub use window::estimate_tokens;

/// The input of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The system prompt. Never truncated.
    pub system: String,
    /// The conversation, oldest turn first. The last turn is the user's.
    pub turns: Vec<Turn>,
    /// The beginning of an answer that the model is to continue. `None` for a new answer.
    pub answer_so_far: Option<String>,
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The author of the message.
    pub author: Author,
    /// The text of the message.
    pub text: String,
}

/// An item of an answer stream. The stream ends after [`Delta::End`] or an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delta {
    /// The request waits at this position in the queue (1 is next).
    Queued(u32),
    /// The model is being loaded.
    Loading,
    /// This many of the oldest turns did not fit into the context window and were omitted.
    TruncatedMessages(u32),
    /// A chunk of the model's reasoning.
    Reasoning(String),
    /// A chunk of the answer.
    Text(String),
    /// All text of this answer so far was reasoning: a closing tag came that had no opening tag.
    TextWasReasoning,
    /// Tokens read and generated. 0 where the provider reports no number.
    Usage(Usage),
    /// The answer is complete.
    End(FinishReason),
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The answer is finished.
    Stop,
    /// The output limit or the context limit was reached.
    Length,
    /// The provider withheld the rest (content filter).
    Withheld,
    /// The model requested a tool call.
    ToolCall,
}

/// The tokens of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens in the prompt.
    pub prompt: u32,
    /// Those tokens of the prompt that the provider read from its cache, which is cheaper. Part of `prompt`.
    #[serde(default)]
    pub cached: u32,
    /// Tokens generated.
    pub answer: u32,
}

/// An error of a model: a category for the user and a detail for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{failure:?}: {detail}")]
pub struct ModelError {
    /// The category that the user sees.
    pub failure: Failure,
    /// The detail for the log. Contains neither keys nor message texts.
    pub detail: String,
}

impl ModelError {
    /// An error with a detail for the log.
    pub fn new(failure: Failure, detail: impl Into<String>) -> Self {
        Self { failure, detail: detail.into() }
    }

    /// The error for a prompt of which not even the newest message can be sent.
    fn too_long() -> Self {
        Self::new(Failure::TooLong, "the newest message does not fit into the context")
    }
}

/// The stream of an answer.
pub type DeltaStream = BoxStream<'static, Result<Delta, ModelError>>;

/// A language model.
pub trait Model: Send + Sync {
    /// Starts an answer. Nothing is requested before the stream is polled. When `stop` is cancelled or the stream is
    /// dropped, the work behind it ends within 200 ms. A cancelled stream ends without an error.
    fn answer(&self, prompt: Prompt, stop: CancellationToken) -> DeltaStream;
}

/// Whether a name can be part of a model id: 1 to 200 bytes, without invisible or deceptive characters.
fn is_valid_model_name(name: &str) -> bool {
    (1..=200).contains(&name.len()) && !name.chars().any(crate::domain::is_deceptive)
}
