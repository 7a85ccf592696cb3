//! Messages, and the events of an answer that is being written.

use serde::{Deserialize, Serialize};

use super::{AppError, MessageId, RunId, Timestamp, limits};

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum MessageState {
    /// All of it is there.
    Complete,
    /// An answer that is waited for or being written.
    Open {
        /// The run that writes it.
        run: RunId,
        /// What the run does now.
        phase: Phase,
    },
    /// A person stopped it; what was written is kept.
    Stopped,
    /// The server stopped while answering; what was written is kept.
    Interrupted,
    /// The model failed; what was written is kept.
    Failed {
        /// Why.
        failure: Failure,
    },
}

impl MessageState {
    /// Whether a run is still open.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }

    /// Whether an answer in this state has an end that can be written on from.
    pub const fn can_go_on(&self) -> bool {
        !matches!(self, Self::Complete | Self::Open { .. } | Self::Failed { failure: Failure::Withheld })
    }
}

/// What an open run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// It waits: for the model, or for its turn.
    Waiting {
        /// The place in the queue, 1 for the next, where there is a queue.
        place: Option<u32>,
    },
    /// The model is being loaded into memory.
    Loading,
    /// The model thinks before it answers.
    Thinking,
    /// The answer is being written.
    Streaming,
}

/// Why an answer failed. Each has a sentence that says what happened and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The address does not answer.
    Unreachable,
    /// 401 or 403 from the provider.
    Refused,
    /// 404 from the provider, or a model file that is gone.
    ModelGone,
    /// 429 from the provider.
    Busy,
    /// 400 or 422 from the provider.
    Rejected,
    /// 5xx from the provider.
    Upstream,
    /// The answer was not in a form that we understand.
    Garbled,
    /// HTML came in place of an answer.
    WebPage,
    /// JSON came that holds no answer.
    UnknownJson,
    /// Plain text came in place of an answer.
    PlainText,
    /// The connection was cut before the end.
    Cut,
    /// Nothing came for too long.
    TimedOut,
    /// The model ended without a word.
    Empty,
    /// The limit was reached while the model still thought.
    OnlyThoughts,
    /// The output or context limit was reached.
    LengthLimit,
    /// The provider's filter held the answer, or its rest, back.
    Withheld,
    /// The model wants to call a tool, and none was offered.
    ToolCall,
    /// The newest message alone does not fit into the context window.
    TooLong,
    /// The provider says that the prompt is longer than the model's context.
    OverContext,
    /// A model file that is broken.
    BadFile,
    /// The local model's process broke off.
    Crashed,
    /// The answer grew over the limit.
    Overlong,
    /// The database has a reason that this version does not know.
    Unknown,
}

impl Failure {
    /// The sentence for whoever reads the page.
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

/// A message as the pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// The message that it follows; none for the first of a chat, and where the server has not told yet.
    pub parent: Option<MessageId>,
    /// How many messages come before it on its path. Larger is later in a window.
    pub depth: i64,
    /// Who wrote it.
    pub author: Author,
    /// Where it stands.
    pub state: MessageState,
    /// The text of a person's message as it was written; empty for a model's.
    pub text: String,
    /// A model's message, rendered and safe to insert; empty for a person's.
    pub html: String,
    /// The model's thinking, rendered and safe to insert, where there was any.
    pub reasoning_html: String,
    /// The model's name for people.
    pub model: Option<String>,
    /// How many of the oldest messages the model did not get to read, because its context is too short.
    pub left_out: u32,
    /// When it was sent, or the answer begun.
    pub created_at: Timestamp,
}

/// One window of a chat's messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageWindow {
    /// The messages.
    pub messages: Vec<Message>,
    /// Whether there are older ones.
    pub has_older: bool,
}

/// Rendered text that is still being written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growing {
    /// HTML of the finished blocks.
    pub done: String,
    /// HTML of the open tail.
    pub tail: String,
}

/// A step of rendered text, relative to what it was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// HTML of blocks that were finished in this step; append it to `done`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub done: String,
    /// How many bytes of the tail before this step still hold.
    pub keep: u32,
    /// What follows them in the new tail.
    pub add: String,
}

impl Growing {
    /// Takes one step. `None` if it does not fit.
    #[must_use]
    pub fn grow(&mut self, growth: &Growth) -> Option<()> {
        let keep = growth.keep as usize;
        if !self.tail.is_char_boundary(keep) {
            return None;
        }
        self.tail.truncate(keep);
        self.tail.push_str(&growth.add);
        self.done.push_str(&growth.done);
        Some(())
    }

    /// Whether there is nothing yet.
    pub const fn is_empty(&self) -> bool {
        self.done.is_empty() && self.tail.is_empty()
    }

    /// The whole as it stands.
    pub fn html(&self) -> String {
        format!("{}{}", self.done, self.tail)
    }
}

/// The full state of an open answer: the first event of every connection, and what follows when something was taken back.
/// Event name `snapshot`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSnapshot {
    /// What the run does.
    pub phase: Phase,
    /// The answer so far.
    pub text: Growing,
    /// The thinking so far.
    pub reasoning: Growing,
    /// How many of the oldest messages were left out of the model's context.
    pub left_out: u32,
    /// Whether what was written last cannot be saved at the moment; it is kept in memory and saved later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub save_delayed: bool,
}

/// A step of an open answer, relative to the state before it. Event name `update`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunUpdate {
    /// What the run does now.
    pub phase: Phase,
    /// The answer, where it has grown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Growth>,
    /// The thinking, where it has grown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Growth>,
    /// How many of the oldest messages were left out of the model's context.
    #[serde(default)]
    pub left_out: u32,
    /// As in [`RunSnapshot`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub save_delayed: bool,
}

impl RunSnapshot {
    /// Applies one update. `None` if it does not fit, which asks for a new snapshot.
    #[must_use]
    pub fn apply(mut self, update: &RunUpdate) -> Option<Self> {
        self.phase = update.phase;
        self.left_out = update.left_out;
        self.save_delayed = update.save_delayed;
        if let Some(growth) = &update.text {
            self.text.grow(growth)?;
        }
        if let Some(growth) = &update.reasoning {
            self.reasoning.grow(growth)?;
        }
        Some(self)
    }
}

/// The names of the events on a run's stream. `end` carries the whole [`Message`]; `reconnect` asks the
/// browser to come back in a moment, because this instance stops or the reader was too slow.
pub mod event {
    /// [`super::RunSnapshot`].
    pub const SNAPSHOT: &str = "snapshot";
    /// [`super::RunUpdate`].
    pub const UPDATE: &str = "update";
    /// [`super::Message`].
    pub const END: &str = "end";
    /// Empty.
    pub const RECONNECT: &str = "reconnect";
}

/// Checks the text of a message. It is kept byte for byte.
///
/// # Errors
/// `Invalid` on the field `text`.
pub fn check_message(text: &str) -> Result<(), AppError> {
    if text.trim().is_empty() {
        return Err(AppError::invalid("text", reason!("message_missing")));
    }
    if text.len() > limits::MESSAGE_BYTES {
        let reason = reason!("message_too_long", most = limits::MESSAGE_BYTES, bytes = text.len());
        return Err(AppError::invalid("text", reason));
    }
    if text.contains('\0') {
        return Err(AppError::invalid("text", reason!("message_nul")));
    }
    Ok(())
}
