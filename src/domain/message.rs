//! Messages, and the events of an answer that is being generated.

use serde::{Deserialize, Serialize};

use super::{AppError, MessageId, RunId, Timestamp, limits};

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// The state of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum MessageState {
    /// The message is complete.
    Complete,
    /// The answer is queued or being generated.
    Open {
        /// The run that generates it.
        run: RunId,
        /// The current phase of the run.
        phase: Phase,
    },
    /// The user stopped the answer; its text so far is kept.
    Stopped,
    /// The server stopped during the answer; its text so far is kept.
    Interrupted,
    /// The model failed; its text so far is kept.
    Failed {
        /// The reason.
        failure: Failure,
    },
}

impl MessageState {
    /// Whether the answer is still queued or being generated.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// Whether an answer in this state can be continued.
    pub const fn can_continue(&self) -> bool {
        !matches!(self, Self::Complete | Self::Open { .. } | Self::Failed { failure: Failure::Withheld })
    }
}

/// The phase of an open run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// The run waits for the model, or in the queue.
    Waiting {
        /// The position in the queue, 1 for the next; `None` if it is not queued.
        position: Option<u32>,
    },
    /// The model is being loaded into memory.
    Loading,
    /// The model is reasoning.
    Thinking,
    /// The answer is being streamed.
    Streaming,
}

/// Why an answer failed. The message of each reason explains what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The provider cannot be reached.
    Unreachable,
    /// The provider returned 401 or 403.
    Refused,
    /// The provider returned 404, or the model file is missing.
    ModelGone,
    /// The provider returned 429.
    Busy,
    /// The provider returned 400 or 422.
    Rejected,
    /// The provider returned 5xx.
    Upstream,
    /// The response could not be parsed.
    Garbled,
    /// The response was HTML.
    WebPage,
    /// The response was JSON without an answer.
    UnknownJson,
    /// The response was plain text.
    PlainText,
    /// The connection was closed before the end of the response.
    Cut,
    /// The response timed out.
    TimedOut,
    /// The model returned no text.
    Empty,
    /// The output limit was reached during the reasoning.
    OnlyThoughts,
    /// The output or context limit was reached.
    LengthLimit,
    /// The provider's content filter withheld the answer or its rest.
    Withheld,
    /// The model tried to call a tool, although none was offered.
    ToolCall,
    /// The newest message alone does not fit into the context window.
    TooLong,
    /// The provider reported that the prompt is longer than the model's context.
    OverContext,
    /// The model file is broken.
    BadFile,
    /// The process of the local model crashed.
    Crashed,
    /// The answer exceeded the size limit.
    Overlong,
    /// The database contains a reason that this version does not know.
    Unknown,
}

impl Failure {
    /// The message in the language of the page.
    pub fn text(self) -> &'static str {
        match self {
            Self::Unreachable => t!("chat.failure.unreachable"),
            Self::Refused => t!("chat.failure.refused"),
            Self::ModelGone => t!("chat.failure.model_gone"),
            Self::Busy => t!("chat.failure.busy"),
            Self::Rejected => t!("chat.failure.rejected"),
            Self::Upstream => t!("chat.failure.upstream"),
            Self::Garbled => t!("chat.failure.garbled"),
            Self::WebPage => t!("chat.failure.web_page"),
            Self::UnknownJson => t!("chat.failure.unknown_json"),
            Self::PlainText => t!("chat.failure.plain_text"),
            Self::Cut => t!("chat.failure.cut"),
            Self::TimedOut => t!("chat.failure.timed_out"),
            Self::Empty => t!("chat.failure.empty"),
            Self::OnlyThoughts => t!("chat.failure.only_thoughts"),
            Self::LengthLimit => t!("chat.failure.length_limit"),
            Self::Withheld => t!("chat.failure.withheld"),
            Self::ToolCall => t!("chat.failure.tool_call"),
            Self::TooLong => t!("chat.failure.too_long"),
            Self::OverContext => t!("chat.failure.over_context"),
            Self::BadFile => t!("chat.failure.bad_file"),
            Self::Crashed => t!("chat.failure.crashed"),
            Self::Overlong => t!("chat.failure.overlong"),
            Self::Unknown => t!("chat.failure.unknown"),
        }
    }
}

/// What an answer took. Zero where it is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerStats {
    /// How long the model reasoned, in milliseconds.
    pub thinking_ms: u32,
    /// From its first token to its last one, in milliseconds.
    pub writing_ms: u32,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer, with those of the reasoning.
    pub answer_tokens: u32,
}

impl AnswerStats {
    fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Tokens a second, rounded; `None` if it is not known or if there are too few to tell.
    pub fn tokens_per_second(&self) -> Option<u32> {
        (self.writing_ms >= 100 && self.answer_tokens >= 10)
            .then(|| (self.answer_tokens.saturating_mul(1_000) / self.writing_ms).max(1))
    }
}

/// A message as shown on the chat page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The message's id.
    pub id: MessageId,
    /// The message before it; `None` for the first of a chat, and as long as the browser does not know it.
    pub parent: Option<MessageId>,
    /// The number of messages before it on its path, which is the order within a window.
    pub depth: i64,
    /// The author.
    pub author: Author,
    /// The state.
    pub state: MessageState,
    /// The raw text of a user's message; empty for an answer.
    pub text: String,
    /// The rendered, sanitized HTML of an answer; empty for a user's message.
    pub html: String,
    /// The rendered, sanitized HTML of the model's reasoning, or empty.
    pub reasoning_html: String,
    /// The model's display name.
    pub model: Option<String>,
    /// The number of oldest messages that were truncated because the model's context is too short.
    pub truncated_messages: u32,
    /// What the answer took.
    #[serde(default, skip_serializing_if = "AnswerStats::is_unknown")]
    pub stats: AnswerStats,
    /// Its place among its versions; `None` if it is the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<Versions>,
    /// When the message was sent, or the answer was begun.
    pub created_at: Timestamp,
}

/// The place of a message among its versions: the messages that follow the same one, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Its number; 1 is the oldest version.
    pub number: u32,
    /// The number of versions.
    pub count: u32,
    /// The version before it.
    pub previous: Option<MessageId>,
    /// The version after it.
    pub next: Option<MessageId>,
}

/// A window of a chat's messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageWindow {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether there are older messages.
    pub has_older: bool,
}

/// The rendered HTML of a text that is being generated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveHtml {
    /// The HTML of the finished blocks.
    pub done: String,
    /// The HTML of the rest, which may still change.
    pub tail: String,
}

/// An update of [`LiveHtml`], relative to the previous state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HtmlPatch {
    /// The HTML of newly finished blocks, to be appended to `done`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub done: String,
    /// The number of leading bytes of the previous tail that stay.
    pub keep: u32,
    /// The HTML that follows them in the new tail.
    pub add: String,
}

impl LiveHtml {
    /// Applies a patch. `None` if it does not fit the current tail.
    #[must_use]
    pub fn apply(&mut self, patch: &HtmlPatch) -> Option<()> {
        let keep = patch.keep as usize;
        if !self.tail.is_char_boundary(keep) {
            return None;
        }
        self.tail.truncate(keep);
        self.tail.push_str(&patch.add);
        self.done.push_str(&patch.done);
        Some(())
    }

    /// Whether there is no HTML yet.
    pub const fn is_empty(&self) -> bool {
        self.done.is_empty() && self.tail.is_empty()
    }

    /// The complete current HTML.
    pub fn html(&self) -> String {
        format!("{}{}", self.done, self.tail)
    }
}

/// The full state of an open answer: the first event of every stream, and sent again if existing text has changed. The
/// name of the event is `snapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSnapshot {
    /// The phase of the run.
    pub phase: Phase,
    /// The answer so far.
    pub text: LiveHtml,
    /// The reasoning so far.
    pub reasoning: LiveHtml,
    /// The number of oldest messages that were truncated because the model's context is too short.
    pub truncated_messages: u32,
    /// How long the model has reasoned so far, in milliseconds.
    #[serde(default)]
    pub thinking_ms: u32,
    /// Whether the newest text cannot be saved at the moment. It is held in memory and saved later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub save_delayed: bool,
}

/// An update of an open answer, relative to the previous state. The name of the event is `update`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunUpdate {
    /// The phase of the run.
    pub phase: Phase,
    /// The patch of the answer, if it has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<HtmlPatch>,
    /// The patch of the reasoning, if it has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<HtmlPatch>,
    /// The number of oldest messages that were truncated because the model's context is too short.
    #[serde(default)]
    pub truncated_messages: u32,
    /// As in [`RunSnapshot`].
    #[serde(default)]
    pub thinking_ms: u32,
    /// As in [`RunSnapshot`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub save_delayed: bool,
}

impl RunSnapshot {
    /// Applies an update. `None` if it does not fit; the client must then request a new snapshot.
    #[must_use]
    pub fn apply(mut self, update: &RunUpdate) -> Option<Self> {
        self.phase = update.phase;
        self.truncated_messages = update.truncated_messages;
        self.thinking_ms = update.thinking_ms;
        self.save_delayed = update.save_delayed;
        if let Some(patch) = &update.text {
            self.text.apply(patch)?;
        }
        if let Some(patch) = &update.reasoning {
            self.reasoning.apply(patch)?;
        }
        Some(self)
    }
}

/// The names of the server-sent events of a run. `end` contains the final [`Message`]; `reconnect` tells the browser to
/// reconnect soon, because this instance is stopping or the reader was too slow.
pub mod event {
    /// The data is a [`super::RunSnapshot`].
    pub const SNAPSHOT: &str = "snapshot";
    /// The data is a [`super::RunUpdate`].
    pub const UPDATE: &str = "update";
    /// The data is a [`super::Message`].
    pub const END: &str = "end";
    /// The data is empty.
    pub const RECONNECT: &str = "reconnect";
}

/// Validates the text of a message, which is stored unchanged.
///
/// # Errors
/// `Invalid` on the field `text`.
pub fn check_message(text: &str) -> Result<(), AppError> {
    if text.trim().is_empty() {
        return Err(AppError::invalid("text", reason!("message_missing")));
    }
    if text.len() > limits::MAX_MESSAGE_BYTES {
        let reason = reason!("message_too_long", most = limits::MAX_MESSAGE_BYTES, bytes = text.len());
        return Err(AppError::invalid("text", reason));
    }
    if text.contains('\0') {
        return Err(AppError::invalid("text", reason!("message_nul")));
    }
    Ok(())
}
