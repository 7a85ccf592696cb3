//! Reading chats back: windows of messages, rendered.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use super::Chats;
use crate::{
    domain::{
        AppError, Author, Chat, ChatId, Failure, Message, MessageId, MessageState, MessageWindow, Phase, UserId, limits,
    },
    server::{
        fault::Fault,
        markdown::render,
        store::{MessageRow, Owned, StoreError, UnknownWord},
    },
};

/// Bytes of rendered answers that are kept in memory.
const CACHE_BYTES: u64 = 4_000_000;

/// Rendered answers. The key has the lengths, because an answer that goes on is another text.
pub(super) struct Rendered(Cache<Key, Arc<Html>, ByLength>);

type Key = (MessageId, usize, usize);

struct Html {
    answer: String,
    reasoning: String,
}

#[derive(Clone)]
struct ByLength;

impl Weighter<Key, Arc<Html>> for ByLength {
    fn weight(&self, _: &Key, html: &Arc<Html>) -> u64 {
        (html.answer.len() + html.reasoning.len() + 128) as u64
    }
}

impl Default for Rendered {
    fn default() -> Self {
        Self(Cache::with_weighter(1_000, CACHE_BYTES, ByLength))
    }
}

impl Rendered {
    fn render(&self, row: &MessageRow) -> Arc<Html> {
        let (text, reasoning) = (row.text(), row.reasoning());
        let key = (row.id, text.len(), reasoning.len());
        if let Some(html) = self.0.get(&key) {
            return html;
        }
        let html = Arc::new(Html { answer: render(&text), reasoning: render(&reasoning) });
        if row.state != "open" {
            self.0.insert(key, html.clone());
        }
        html
    }
}

impl Chats {
    /// A chat with the newest messages of the path that is shown, or with those before a message.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn open(&self, owner: UserId, chat: ChatId, before: Option<MessageId>) -> Result<Chat, Fault> {
        let mut tx = self.0.store.read().await?;
        let mut own = tx.owned_by(owner);
        let found = own.find_chat(chat).await?.ok_or(AppError::NotFound)?;
        let rows = match before {
            Some(before) => rows_before(&mut own, chat, before).await?,
            None => rows_to(&mut own, chat, found.head_id).await?,
        };
        drop(tx);
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

    /// The window of the messages that lead to a message.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn older(&self, owner: UserId, chat: ChatId, before: MessageId) -> Result<MessageWindow, Fault> {
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
        let row =
            self.0.store.read().await?.owned_by(owner).find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        self.view(row).await
    }

    /// The text of a message as it was written.
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

    /// Turns rows, newest first and one more than asked for, into a window.
    async fn window(&self, mut rows: Vec<MessageRow>) -> Result<MessageWindow, Fault> {
        let has_older = rows.len() > limits::MESSAGES_PER_WINDOW as usize;
        rows.truncate(limits::MESSAGES_PER_WINDOW as usize);
        rows.reverse();
        let chats = self.clone();
        // Rendering is work for the processor: it must not hold up the streams.
        let messages = tokio::task::spawn_blocking(move || {
            rows.into_iter().map(|row| chats.view_now(row)).collect::<Result<_, _>>()
        })
        .await??;
        Ok(MessageWindow { messages, has_older })
    }

    /// A message as the pages show it.
    pub(super) async fn view(&self, row: MessageRow) -> Result<Message, Fault> {
        let chats = self.clone();
        tokio::task::spawn_blocking(move || chats.view_now(row)).await?
    }

    /// The place of a queued run in its owner's line, 1 for the next, from the number of open runs that are older. `None`
    /// where it is about to be claimed.
    pub(super) fn place_in_line(&self, behind: Option<i64>) -> Option<u32> {
        let place = behind?.checked_sub(i64::from(self.0.answers_per_person))?.checked_add(1)?;
        u32::try_from(place).ok().filter(|place| *place > 0)
    }

    fn view_now(&self, row: MessageRow) -> Result<Message, Fault> {
        let author = author(&row)?;
        let by_user = author == Author::User;
        let mut left_out = u32::try_from(row.left_out).unwrap_or(0);
        let (mut html, mut reasoning_html) = (String::new(), String::new());
        let mut phase = Phase::Waiting { place: self.place_in_line(row.behind) };
        if let Some(live) = row.run_id.and_then(|run| self.0.hub.get(run)) {
            let told = live.snapshot();
            html = told.text.html();
            reasoning_html = told.reasoning.html();
            phase = told.phase;
            left_out = told.left_out;
        } else if !by_user {
            let rendered = self.0.rendered.render(&row);
            html.clone_from(&rendered.answer);
            reasoning_html.clone_from(&rendered.reasoning);
        }
        Ok(Message {
            id: row.id,
            parent: row.parent_id,
            depth: row.depth,
            author,
            state: state(&row, phase)?,
            text: if by_user { row.text().into_owned() } else { String::new() },
            html,
            reasoning_html,
            model: row.model_label,
            left_out,
            created_at: row.created_at,
        })
    }
}

/// A window before a message, from its end, with one more than is shown.
async fn rows_before(own: &mut Owned<'_>, chat: ChatId, before: MessageId) -> Result<Vec<MessageRow>, Fault> {
    let end = own.find_parent(chat, before).await?.ok_or(AppError::NotFound)?;
    Ok(rows_to(own, chat, end).await?)
}

/// A window up to a message, likewise.
async fn rows_to(own: &mut Owned<'_>, chat: ChatId, end: Option<MessageId>) -> Result<Vec<MessageRow>, StoreError> {
    let Some(end) = end else { return Ok(Vec::new()) };
    own.list_path(chat, end, limits::MESSAGES_PER_WINDOW + 1).await
}

fn author(row: &MessageRow) -> Result<Author, Fault> {
    match row.author.as_str() {
        "user" => Ok(Author::User),
        "assistant" => Ok(Author::Assistant),
        word => Err(unknown("the author of a message", word)),
    }
}

fn state(row: &MessageRow, phase: Phase) -> Result<MessageState, Fault> {
    Ok(match row.state.as_str() {
        "complete" => MessageState::Complete,
        "open" => row.run_id.map_or(MessageState::Interrupted, |run| MessageState::Open { run, phase }),
        "stopped" => MessageState::Stopped,
        "interrupted" => MessageState::Interrupted,
        "failed" => {
            let word = row.failure.as_deref().unwrap_or_default();
            let failure = serde_json::from_value(word.into()).unwrap_or_else(|_| {
                // That it failed is known, and what there is of it can be read.
                tracing::error!(message = %row.id, word, "an answer failed for a reason that is unknown here");
                Failure::Unknown
            });
            MessageState::Failed { failure }
        }
        word => return Err(unknown("the state of a message", word)),
    })
}

fn unknown(what: &'static str, word: &str) -> Fault {
    StoreError::from(UnknownWord::new(what, word)).into()
}
