//! Branches of the message tree: copies of the path to a message, and the removal of a message with all that follows it.

use super::{Engine, Node, Owned, StoreError, db::execute};
use crate::domain::{ChatId, MessageId, Timestamp, search_key};

/// A chat that begins as a copy of a path of another one.
#[derive(Debug)]
pub struct ChatCopy<'a> {
    /// The chat's id.
    pub id: ChatId,
    /// The title.
    pub title: &'a str,
    /// The beginning of the last message, for the chat lists.
    pub preview: &'a str,
    /// The ids of its messages, by their depth.
    pub messages: &'a [MessageId],
    /// The current time.
    pub now: Timestamp,
}

/// Copies the messages of the path to `$3`. `$id` and `$parent` are the new ids of a message `p` and of the one before it.
macro_rules! copy_messages {
    ($id:literal, $parent:literal) => {
        concat!(
            "with recursive path as (
               select m.* from messages m where m.owner_id = $1 and m.chat_id = $2 and m.id = $3
               union all
               select m.* from path join messages m on m.id = path.parent_id and m.owner_id = $1
             ) insert into messages (id, chat_id, owner_id, parent_id, depth, author, state, model, model_label, failure,
               left_out, prompt_tokens, answer_tokens, thinking_ms, writing_ms, created_at)
             select ",
            $id,
            ", $5, p.owner_id, case when p.depth > 0 then ",
            $parent,
            " end, p.depth, p.author, p.state, p.model, p.model_label, p.failure, p.left_out, p.prompt_tokens,
               p.answer_tokens, p.thinking_ms, p.writing_ms, p.created_at from path p where p.owner_id = $1"
        )
    };
}

/// A statement about the `branch` that begins with the message `$3` of the chat `$2`.
macro_rules! on_branch {
    ($statement:literal) => {
        concat!(
            "with recursive branch as (
               select m.id, m.depth from messages m where m.owner_id = $1 and m.chat_id = $2 and m.id = $3
               union all
               select m.id, m.depth from branch join messages m
                 on m.owner_id = $1 and m.chat_id = $2 and m.depth = branch.depth + 1 and m.parent_id = branch.id
             ) ",
            $statement
        )
    };
}

impl Owned<'_> {
    /// Copies a chat with the path to the message `end`, which is the last of `copy.messages`. Answers keep their model
    /// and tokens, and no message keeps its idempotency key.
    pub async fn copy_chat(&mut self, chat: ChatId, end: MessageId, copy: &ChatCopy<'_>) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into chats (id, owner_id, title, title_key, model, last_words, head_id, created_at, active_at, pinned,
               archived, title_source)
             select $3, owner_id, $4, $5, model, $6, $7, $8, $8, false, false, 'person' from chats
             where owner_id = $1 and id = $2",
            self.owner,
            chat,
            copy.id,
            copy.title,
            search_key(copy.title),
            copy.preview,
            copy.messages.last(),
            copy.now,
        )?;
        // All ids in one value, so that a long path takes two statements.
        let ids: Vec<u8> = copy.messages.iter().flat_map(|id| id.uuid().into_bytes()).collect();
        if self.tx.is_postgres() {
            let sql = copy_messages!(
                "encode(substring($4::bytea from 16 * p.depth::int + 1 for 16), 'hex')::uuid",
                "encode(substring($4::bytea from 16 * p.depth::int - 15 for 16), 'hex')::uuid"
            );
            execute!(self.tx, sql, self.owner, chat, end, &ids, copy.id)?;
        } else {
            let sql = copy_messages!("substr($4, 16 * p.depth + 1, 16)", "substr($4, 16 * p.depth - 15, 16)");
            execute!(self.tx, sql, self.owner, chat, end, &ids, copy.id)?;
        }
        self.tx.engine().copy_parts(end, copy.id).await
    }

    /// Permanently removes a message of a chat and all that follows it, on every path.
    pub async fn remove_branch(&mut self, chat: ChatId, message: Node) -> Result<u64, StoreError> {
        // Remembered paths that end in the branch are forgotten.
        execute!(
            self.tx,
            on_branch!(
                "update messages set last_leaf_id = null
                 where owner_id = $1 and chat_id = $2 and depth < $4 and last_leaf_id in (select id from branch)"
            ),
            self.owner,
            chat,
            message.id,
            message.depth,
        )?;
        Ok(execute!(
            self.tx,
            on_branch!("delete from messages where owner_id = $1 and chat_id = $2 and id in (select id from branch)"),
            self.owner,
            chat,
            message.id,
        )?)
    }
}

impl Engine<'_> {
    /// Copies the parts of the messages of the path to `end` to the messages of the same depths in the chat `copy`.
    async fn copy_parts(&mut self, end: MessageId, copy: ChatId) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "with recursive path as (
               select m.id, m.parent_id, m.depth from messages m where m.id = $1
               union all
               select m.id, m.parent_id, m.depth from path join messages m on m.id = path.parent_id
             ) insert into message_parts (message_id, position, kind, text)
             select m.id, mp.position, mp.kind, mp.text from path p join message_parts mp on mp.message_id = p.id
               join messages m on m.chat_id = $2 and m.depth = p.depth",
            end,
            copy,
        )?;
        Ok(())
    }
}
