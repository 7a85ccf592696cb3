//! Messages of chats: a tree whose nodes consist of parts.
//!
//! A message follows its parent. Its depth is the number of messages before it. Siblings are alternative versions. The
//! head of a chat is the last message of the current path, which the page shows. Paths are read from their end, parent
//! by parent, so that a window of messages costs the same in a long chat as in a short one.

use std::borrow::Cow;

use super::{
    Engine, Owned, StoreError,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{ChatId, ClientId, MessageId, RunId, Timestamp};

/// The position of a message in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// The message's id.
    pub id: MessageId,
    /// The number of messages before it on its path.
    pub depth: i64,
}

/// The kind of a message part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(rename_all = "snake_case", type_name = "text")]
pub enum PartKind {
    /// The reasoning of the model.
    Reasoning,
    /// The text of the message.
    Text,
}

impl PartKind {
    /// The name in the database and in exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reasoning => "reasoning",
            Self::Text => "text",
        }
    }

    /// The position of a part of this kind in its message.
    const fn position(self) -> i64 {
        match self {
            Self::Reasoning => 0,
            Self::Text => 1,
        }
    }
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The kind.
    pub kind: PartKind,
    /// The text.
    pub text: String,
}

/// The concatenated text of all parts of a kind.
fn text_of(parts: &[Part], kind: PartKind) -> Cow<'_, str> {
    let mut texts = parts.iter().filter(|part| part.kind == kind).map(|part| part.text.as_str());
    match (texts.next(), texts.next()) {
        (None, _) => Cow::Borrowed(""),
        (Some(only), None) => Cow::Borrowed(only),
        (Some(first), Some(second)) => [first, second].into_iter().chain(texts).collect::<String>().into(),
    }
}

/// A message to insert.
#[derive(Debug)]
pub struct NewMessage<'a> {
    /// The message's id.
    pub id: MessageId,
    /// The chat's id.
    pub chat: ChatId,
    /// The message before it; `None` for the first message of a chat.
    pub parent: Option<Node>,
    /// `user` or `assistant`.
    pub author: &'static str,
    /// `complete` or `open`.
    pub state: &'static str,
    /// The text; empty for an open answer.
    pub text: &'a str,
    /// The model's id, for an answer.
    pub model: Option<&'a str>,
    /// The model's display name, for an answer.
    pub model_label: Option<&'a str>,
    /// The idempotency key of the sender, for a user's message.
    pub client_id: Option<ClientId>,
    /// The current time.
    pub now: Timestamp,
}

/// A stored message, with its open run if there is one.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct MessageRow {
    /// The message's id.
    pub id: MessageId,
    /// The chat's id.
    pub chat_id: ChatId,
    /// The message before it; `None` for the first message of a chat.
    pub parent_id: Option<MessageId>,
    /// The number of messages before it on its path.
    pub depth: i64,
    /// `user` or `assistant`.
    pub author: String,
    /// `complete`, `open`, `stopped`, `interrupted` or `failed`.
    pub state: String,
    /// The model's id, for an answer.
    pub model: Option<String>,
    /// The model's display name, for an answer.
    pub model_label: Option<String>,
    /// The failure code of a failed answer.
    pub failure: Option<String>,
    /// The number of oldest messages that were truncated because the context is too short.
    #[sqlx(rename = "left_out")]
    pub truncated_messages: i64,
    /// Tokens of all prompts for this answer, as the model counts them.
    pub prompt_tokens: i64,
    /// Tokens that the model generated for this answer, as the model counts them.
    pub answer_tokens: i64,
    /// How long the model reasoned, in milliseconds; 0 if it is not known.
    pub thinking_ms: i64,
    /// From its first token to its last one, likewise.
    pub writing_ms: i64,
    /// When the message was sent, or the answer was begun.
    pub created_at: Timestamp,
    /// The open run that writes the answer.
    pub run_id: Option<RunId>,
    /// For a queued run: the number of older open runs of the owner.
    pub runs_ahead: Option<i64>,
    /// The parts, in order.
    #[sqlx(skip)]
    pub parts: Vec<Part>,
}

impl MessageRow {
    /// The text.
    pub fn text(&self) -> Cow<'_, str> {
        text_of(&self.parts, PartKind::Text)
    }

    /// The reasoning of the model.
    pub fn reasoning(&self) -> Cow<'_, str> {
        text_of(&self.parts, PartKind::Reasoning)
    }

    /// The position in the tree.
    pub const fn node(&self) -> Node {
        Node { id: self.id, depth: self.depth }
    }

    /// The position of the parent.
    pub fn parent(&self) -> Option<Node> {
        self.parent_id.map(|id| Node { id, depth: self.depth - 1 })
    }
}

/// A message joined with one of its parts.
#[derive(sqlx::FromRow)]
struct MessagePartRow {
    #[sqlx(flatten)]
    message: MessageRow,
    part_kind: Option<PartKind>,
    part_text: Option<String>,
}

/// Groups consecutive rows of the same message into one message with its parts.
fn group_parts(rows: Vec<MessagePartRow>) -> Vec<MessageRow> {
    let mut messages: Vec<MessageRow> = Vec::new();
    for MessagePartRow { message, part_kind, part_text } in rows {
        if messages.last().is_none_or(|last| last.id != message.id) {
            messages.push(message);
        }
        if let (Some(message), Some(kind), Some(text)) = (messages.last_mut(), part_kind, part_text) {
            message.parts.push(Part { kind, text });
        }
    }
    messages
}

/// Selects messages `m` of the owner `$1` with their parts. `$with` is a `with` clause, `$from` the source of messages,
/// and `$rest` contains further conditions and the order.
macro_rules! select_messages {
    ($with:literal, $from:literal, $rest:literal) => {
        concat!(
            $with,
            "select m.id, m.chat_id, m.parent_id, m.depth, m.author, m.state, m.model, m.model_label, m.failure, m.left_out,
               m.prompt_tokens, m.answer_tokens, m.thinking_ms, m.writing_ms, m.created_at, r.id as run_id,
               case when r.state = 'queued' then (select count(*) from runs o
                 where o.owner_id = $1 and o.state <> 'ended' and o.id < r.id) end as runs_ahead,
               p.kind as part_kind, p.text as part_text
             from ",
            $from,
            " m left join runs r on r.message_id = m.id and r.state <> 'ended'
             left join message_parts p on p.message_id = m.id
             where m.owner_id = $1 ",
            $rest
        )
    };
    ($rest:literal) => {
        select_messages!("", "messages", $rest)
    };
}

impl Owned<'_> {
    /// Inserts a message.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if `client_id` was used before.
    pub async fn insert_message(&mut self, message: &NewMessage<'_>) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into messages (id, chat_id, owner_id, parent_id, depth, author, state, model, model_label, left_out,
               prompt_tokens, answer_tokens, client_id, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, $10, $11)",
            message.id,
            message.chat,
            self.owner,
            message.parent.map(|parent| parent.id),
            message.parent.map_or(0, |parent| parent.depth + 1),
            message.author,
            message.state,
            message.model,
            message.model_label,
            message.client_id,
            message.now,
        )?;
        if !message.text.is_empty() {
            self.tx.engine().write_part(message.id, PartKind::Text, message.text).await?;
        }
        Ok(())
    }

    /// The last `limit` messages of the path to the message `end`, last message first.
    pub async fn list_path(&mut self, chat: ChatId, end: MessageId, limit: u32) -> Result<Vec<MessageRow>, StoreError> {
        let rows = fetch_all!(
            self.tx,
            MessagePartRow,
            select_messages!(
                "with recursive path as (
                   select m.*, 1 as steps from messages m where m.owner_id = $1 and m.chat_id = $2 and m.id = $3
                   union all
                   select m.*, path.steps + 1 from path join messages m on m.id = path.parent_id and m.owner_id = $1
                   where path.steps < $4
                 ) ",
                "path",
                "order by m.depth desc, p.position"
            ),
            self.owner,
            chat,
            end,
            i64::from(limit),
        )?;
        Ok(group_parts(rows))
    }

    /// The ids of the messages on the current path of a chat, from its head to the first message.
    pub async fn list_current_path_ids(&mut self, chat: ChatId) -> Result<Vec<MessageId>, StoreError> {
        let rows = fetch_all!(
            self.tx,
            (MessageId,),
            "with recursive path as (
               select m.id, m.parent_id from chats c join messages m on m.id = c.head_id
               where c.owner_id = $1 and c.id = $2
               union all
               select m.id, m.parent_id from path join messages m on m.id = path.parent_id and m.owner_id = $1
             ) select id from path",
            self.owner,
            chat,
        )?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// A page of all messages of a chat, sorted by depth and age, after the message `after`.
    pub async fn list_tree(
        &mut self,
        chat: ChatId,
        after: Option<Node>,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let after = after.unwrap_or(Node { id: MessageId::from_uuid(uuid::Uuid::nil()), depth: -1 });
        let rows = fetch_all!(
            self.tx,
            MessagePartRow,
            select_messages!(
                "",
                "(select * from messages where owner_id = $1 and chat_id = $2 and (depth, id) > ($3, $4)
                  order by depth, id limit $5)",
                "order by m.depth, m.id, p.position"
            ),
            self.owner,
            chat,
            after.depth,
            after.id,
            i64::from(limit),
        )?;
        Ok(group_parts(rows))
    }

    /// One message of a chat that is not deleted.
    pub async fn find_message(&mut self, chat: ChatId, message: MessageId) -> Result<Option<MessageRow>, StoreError> {
        let rows = fetch_all!(
            self.tx,
            MessagePartRow,
            select_messages!(
                "and m.chat_id = $2 and m.id = $3 and exists
                   (select 1 from chats c where c.id = m.chat_id and c.owner_id = $1 and c.deleted_at is null)
                 order by p.position"
            ),
            self.owner,
            chat,
            message,
        )?;
        Ok(group_parts(rows).pop())
    }

    /// The owner's message with this idempotency key.
    pub async fn find_message_by_client_id(&mut self, client_id: ClientId) -> Result<Option<MessageRow>, StoreError> {
        let sql = select_messages!("and m.client_id = $2 order by p.position");
        Ok(group_parts(fetch_all!(self.tx, MessagePartRow, sql, self.owner, client_id)?).pop())
    }

    /// The parent of a message: `None` if the message does not exist, `Some(None)` if it is the first of its chat.
    pub async fn find_parent(
        &mut self,
        chat: ChatId,
        message: MessageId,
    ) -> Result<Option<Option<MessageId>>, StoreError> {
        let sql = "select parent_id from messages where owner_id = $1 and chat_id = $2 and id = $3";
        let row = fetch_optional!(self.tx, (Option<MessageId>,), sql, self.owner, chat, message)?;
        Ok(row.map(|(parent,)| parent))
    }

    /// The oldest child of a message.
    pub async fn find_first_child(&mut self, chat: ChatId, parent: Node) -> Result<Option<MessageId>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (MessageId,),
            "select id from messages where owner_id = $1 and chat_id = $2 and depth = $3 and parent_id = $4
             order by id limit 1",
            self.owner,
            chat,
            parent.depth + 1,
            parent.id,
        )?;
        Ok(row.map(|(id,)| id))
    }

    /// Reopens an answer, so that a run can continue it.
    pub async fn reopen_message(&mut self, message: MessageId) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "update messages set state = 'open', failure = null, left_out = 0 where owner_id = $1 and id = $2",
            self.owner,
            message,
        )?;
        Ok(())
    }
}

impl Engine<'_> {
    /// Inserts or replaces the part of this kind of a message. An empty text deletes it.
    pub(super) async fn write_part(
        &mut self,
        message: MessageId,
        kind: PartKind,
        text: &str,
    ) -> Result<(), StoreError> {
        if text.is_empty() {
            let sql = "delete from message_parts where message_id = $1 and position = $2";
            execute!(self.tx, sql, message, kind.position())?;
            return Ok(());
        }
        // A text is only written if it has changed: the reasoning does not change while the answer grows.
        execute!(
            self.tx,
            "insert into message_parts (message_id, position, kind, text) values ($1, $2, $3, $4)
             on conflict (message_id, position) do update set text = excluded.text
               where message_parts.text <> excluded.text",
            message,
            kind.position(),
            kind,
            text,
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_message_is_the_text_of_its_parts() {
        let part = |kind, text: &str| Part { kind, text: text.to_owned() };
        let parts = [part(PartKind::Reasoning, "r"), part(PartKind::Text, "a"), part(PartKind::Text, "b")];
        assert_eq!((&*text_of(&parts, PartKind::Text), &*text_of(&parts, PartKind::Reasoning)), ("ab", "r"));
        assert_eq!((&*text_of(&parts[..2], PartKind::Text), &*text_of(&[], PartKind::Text)), ("a", ""));
    }
}
