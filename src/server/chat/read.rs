//! Reads chats as windows of rendered messages.

use std::{collections::HashMap, sync::Arc, time::Duration};

use quick_cache::{Weighter, sync::Cache};
use tokio::time::timeout;

use super::Chats;
use crate::{
    domain::{
        AnswerStats, AppError, Author, Chat, ChatId, Failure, Message, MessageId, MessageState, MessageWindow, Phase,
        UserId, Versions, limits,
    },
    server::{
        fault::Fault,
        markdown::render,
        store::{MessageRow, Owned, StoreError, UnknownValue},
    },
};

/// The maximum size of the cache of rendered answers, in bytes.
const MAX_CACHE_BYTES: u64 = 4_000_000;
/// How long opening a chat waits until it is marked as read.
const MARK_TIMEOUT: Duration = Duration::from_millis(500);

/// A cache of rendered answers. The key includes the text lengths, because a continued answer has another text.
pub(super) struct HtmlCache(Cache<Key, Arc<RenderedMessage>, ByteWeighter>);

type Key = (MessageId, usize, usize);

struct RenderedMessage {
    answer: String,
    reasoning: String,
}

#[derive(Clone)]
struct ByteWeighter;

impl Weighter<Key, Arc<RenderedMessage>> for ByteWeighter {
    fn weight(&self, _: &Key, html: &Arc<RenderedMessage>) -> u64 {
        (html.answer.len() + html.reasoning.len() + 128) as u64
    }
}

impl Default for HtmlCache {
    fn default() -> Self {
        Self(Cache::with_weighter(1_000, MAX_CACHE_BYTES, ByteWeighter))
    }
}

impl HtmlCache {
    fn render(&self, row: &MessageRow) -> Arc<RenderedMessage> {
        let (text, reasoning) = (row.text(), row.reasoning());
        let key = (row.id, text.len(), reasoning.len());
        if let Some(html) = self.0.get(&key) {
            return html;
        }
        let html = Arc::new(RenderedMessage { answer: render(&text), reasoning: render(&reasoning) });
        if row.state != "open" {
            self.0.insert(key, html.clone());
        }
        html
    }
}

impl Chats {
    /// A chat with the newest messages of its current path, or with the messages before `before`.
    ///
    /// # Errors
    /// `NotFound`; `ChatDeleted` if the user can still restore it.
    pub async fn open(&self, owner: UserId, chat: ChatId, before: Option<MessageId>) -> Result<Chat, Fault> {
        let mut tx = self.0.store.read().await?;
        let mut own = tx.owned_by(owner);
        let Some(found) = own.find_chat(chat).await? else {
            let is_restorable = own.is_restorable(chat).await?;
            return Err(if is_restorable { AppError::ChatDeleted } else { AppError::NotFound }.into());
        };
        let rows = match before {
            Some(before) => rows_before(&mut own, chat, before).await?,
            None => rows_to(&mut own, chat, found.head_id, limits::MESSAGES_PER_WINDOW).await?,
        };
        drop(tx);
        if found.unread && before.is_none() {
            self.mark_read(owner, chat).await;
        }
        let window = self.window(rows).await?;
        Ok(Chat {
            id: chat,
            title: found.title,
            model: found.model,
            archived: found.archived,
            pinned: found.pinned,
            window,
        })
    }

    /// Marks a chat as read. A failure only keeps the mark.
    pub(super) async fn mark_read(&self, owner: UserId, chat: ChatId) {
        let store = self.0.store.clone();
        let marking = self.0.tasks.spawn(async move {
            let marked = async {
                let mut tx = store.write().await?;
                tx.owned_by(owner).mark_read(chat).await?;
                tx.commit().await
            };
            if let Err(error) = marked.await {
                tracing::warn!(%chat, %error, "cannot mark a chat as read");
            }
        });
        // The chat is shown even while the database cannot be written.
        let _ = timeout(MARK_TIMEOUT, marking).await;
    }

    /// The window of messages before `before` on its path.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn older_messages(&self, owner: UserId, chat: ChatId, before: MessageId) -> Result<MessageWindow, Fault> {
        let mut tx = self.0.store.read().await?;
        let mut own = tx.owned_by(owner);
        own.find_chat(chat).await?.ok_or(AppError::NotFound)?;
        let rows = rows_before(&mut own, chat, before).await?;
        drop(tx);
        self.window(rows).await
    }

    /// One message.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn find_message(&self, owner: UserId, chat: ChatId, message: MessageId) -> Result<Message, Fault> {
        let mut tx = self.0.store.read().await?;
        let mut own = tx.owned_by(owner);
        let row = own.find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        let versions = own.find_versions(chat, row.node()).await?;
        drop(tx);
        self.to_message(row, versions).await
    }

    /// The source text of a message.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn message_text(&self, owner: UserId, chat: ChatId, message: MessageId) -> Result<String, Fault> {
        let row =
            self.0.store.read().await?.owned_by(owner).find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        // A live answer is ahead of the database.
        let live = row.run_id.and_then(|run| self.0.hub.get(run));
        Ok(live.map_or_else(|| row.text().into_owned(), |live| live.text()))
    }

    /// Renders the messages of a window.
    pub(super) async fn window(&self, window: WindowRows) -> Result<MessageWindow, Fault> {
        let WindowRows { mut rows, mut versions, has_older } = window;
        rows.reverse();
        let chats = self.clone();
        // Rendering is CPU-bound and must not block the async workers.
        let messages = tokio::task::spawn_blocking(move || {
            let render = |row: MessageRow| {
                let versions = versions.remove(&row.id);
                chats.to_message_blocking(row, versions)
            };
            rows.into_iter().map(render).collect::<Result<_, _>>()
        })
        .await??;
        Ok(MessageWindow { messages, has_older })
    }

    /// Converts a row to a rendered message.
    pub(super) async fn to_message(&self, row: MessageRow, versions: Option<Versions>) -> Result<Message, Fault> {
        let chats = self.clone();
        tokio::task::spawn_blocking(move || chats.to_message_blocking(row, versions)).await?
    }

    /// The position of a queued run in its owner's queue (1 is next), given the number of older open runs. `None` if it
    /// is about to be claimed.
    pub(super) fn queue_position(&self, runs_ahead: Option<i64>) -> Option<u32> {
        let position = runs_ahead?.checked_sub(i64::from(self.0.answers_per_person))?.checked_add(1)?;
        u32::try_from(position).ok().filter(|position| *position > 0)
    }

    fn to_message_blocking(&self, row: MessageRow, versions: Option<Versions>) -> Result<Message, Fault> {
        let author = parse_author(&row)?;
        let by_user = author == Author::User;
        let mut truncated_messages = u32::try_from(row.truncated_messages).unwrap_or(0);
        let (mut html, mut reasoning_html) = (String::new(), String::new());
        let mut phase = Phase::Waiting { position: self.queue_position(row.runs_ahead) };
        let mut stats = stats_of(&row);
        if let Some(live) = row.run_id.and_then(|run| self.0.hub.get(run)) {
            let snapshot = live.snapshot();
            html = snapshot.text.html();
            reasoning_html = snapshot.reasoning.html();
            phase = snapshot.phase;
            truncated_messages = snapshot.truncated_messages;
            stats.thinking_ms = snapshot.thinking_ms;
        } else if !by_user {
            let rendered = self.0.html_cache.render(&row);
            html.clone_from(&rendered.answer);
            reasoning_html.clone_from(&rendered.reasoning);
        }
        Ok(Message {
            id: row.id,
            parent: row.parent_id,
            depth: row.depth,
            author,
            state: parse_state(&row, phase)?,
            text: if by_user { row.text().into_owned() } else { String::new() },
            html,
            reasoning_html,
            model: row.model_label,
            truncated_messages,
            stats,
            versions,
            created_at: row.created_at,
        })
    }
}

fn stats_of(row: &MessageRow) -> AnswerStats {
    let bounded = |value| u32::try_from(value).unwrap_or_default();
    AnswerStats {
        thinking_ms: bounded(row.thinking_ms),
        writing_ms: bounded(row.writing_ms),
        prompt_tokens: bounded(row.prompt_tokens),
        answer_tokens: bounded(row.answer_tokens),
    }
}

/// The stored messages of a window.
#[derive(Default)]
pub(super) struct WindowRows {
    /// The messages, newest first.
    rows: Vec<MessageRow>,
    /// The places of those that have other versions.
    versions: HashMap<MessageId, Versions>,
    /// Whether there are older messages.
    has_older: bool,
}

/// The rows of a window before a message.
async fn rows_before(own: &mut Owned<'_>, chat: ChatId, before: MessageId) -> Result<WindowRows, Fault> {
    let end = own.find_parent(chat, before).await?.ok_or(AppError::NotFound)?;
    Ok(rows_to(own, chat, end, limits::MESSAGES_PER_WINDOW).await?)
}

/// The rows of a window of `length` messages up to and including a message.
pub(super) async fn rows_to(
    own: &mut Owned<'_>,
    chat: ChatId,
    end: Option<MessageId>,
    length: u32,
) -> Result<WindowRows, StoreError> {
    let Some(end) = end else { return Ok(WindowRows::default()) };
    // One more, to see whether there are older ones.
    let mut rows = own.list_path(chat, end, length + 1).await?;
    let has_older = rows.len() > length as usize;
    rows.truncate(length as usize);
    let versions = match (rows.last(), rows.first()) {
        (Some(oldest), Some(newest)) => own.list_versions(chat, oldest.depth, newest.depth).await?,
        _ => HashMap::new(),
    };
    Ok(WindowRows { rows, versions, has_older })
}

fn parse_author(row: &MessageRow) -> Result<Author, Fault> {
    match row.author.as_str() {
        "user" => Ok(Author::User),
        "assistant" => Ok(Author::Assistant),
        value => Err(unknown_value("the author of a message", value)),
    }
}

fn parse_state(row: &MessageRow, phase: Phase) -> Result<MessageState, Fault> {
    Ok(match row.state.as_str() {
        "complete" => MessageState::Complete,
        "open" => row.run_id.map_or(MessageState::Interrupted, |run| MessageState::Open { run, phase }),
        "stopped" => MessageState::Stopped,
        "interrupted" => MessageState::Interrupted,
        "failed" => {
            let value = row.failure.as_deref().unwrap_or_default();
            let failure = serde_json::from_value(value.into()).unwrap_or_else(|_| {
                // Show the answer as failed. Its text can still be read.
                tracing::error!(message = %row.id, value, "unknown failure of an answer in the database");
                Failure::Unknown
            });
            MessageState::Failed { failure }
        }
        value => return Err(unknown_value("the state of a message", value)),
    })
}

fn unknown_value(what: &'static str, value: &str) -> Fault {
    StoreError::from(UnknownValue::new(what, value)).into()
}
