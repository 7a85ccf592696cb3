//! Messages of chats.

use super::{
    Owned, StoreError,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{ChatId, ClientId, MessageId, RunId, Timestamp};

/// A message to be written.
#[derive(Debug)]
pub struct NewMessage<'a> {
    /// Its id.
    pub id: MessageId,
    /// Its chat.
    pub chat: ChatId,
    /// Its place.
    pub position: i64,
    /// `user` or `assistant`.
    pub author: &'static str,
    /// `complete` or `open`.
    pub state: &'static str,
    /// What was said.
    pub text: &'a str,
    /// The model's id, for an answer.
    pub model: Option<&'a str>,
    /// The model's name for people, for an answer.
    pub model_label: Option<&'a str>,
    /// The sender's id, for a person's message.
    pub client_id: Option<ClientId>,
    /// Now.
    pub now: Timestamp,
}

/// A message as it is kept, with its open run where it has one.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct MessageRow {
    /// Its id.
    pub id: MessageId,
    /// Its chat.
    pub chat_id: ChatId,
    /// Its place.
    pub position: i64,
    /// `user` or `assistant`.
    pub author: String,
    /// `complete`, `open`, `stopped`, `interrupted` or `failed`.
    pub state: String,
    /// What was said.
    pub text: String,
    /// The model's thinking.
    pub reasoning: String,
    /// The model's id.
    pub model: Option<String>,
    /// The model's name for people.
    pub model_label: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// How many of the oldest messages the model did not read.
    pub left_out: i64,
    /// When it was sent, or begun.
    pub created_at: Timestamp,
    /// The run that is writing it.
    pub run_id: Option<RunId>,
    /// How many open runs of the owner are older, where that run is queued.
    pub behind: Option<i64>,
}

macro_rules! select_messages {
    ($rest:literal) => {
        concat!(
            "select m.id, m.chat_id, m.position, m.author, m.state, m.text, m.reasoning, m.model, m.model_label, m.failure,
               m.left_out, m.created_at, r.id as run_id,
               case when r.state = 'queued' then (select count(*) from runs o
                 where o.owner_id = $1 and o.state <> 'ended' and o.id < r.id) end as behind
             from messages m left join runs r on r.message_id = m.id and r.state <> 'ended'
             where m.owner_id = $1 ",
            $rest
        )
    };
}

impl Owned<'_> {
    /// Writes a message.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the sender's id was used before.
    pub async fn insert_message(&mut self, message: &NewMessage<'_>) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into messages (id, chat_id, owner_id, position, author, state, text, reasoning, model, model_label,
               left_out, prompt_tokens, answer_tokens, client_id, superseded, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, 0, 0, 0, $10, false, $11)",
            message.id,
            message.chat,
            self.owner,
            message.position,
            message.author,
            message.state,
            message.text,
            message.model,
            message.model_label,
            message.client_id,
            message.now,
        )?;
        Ok(())
    }

    /// The newest `limit` messages before a position, newest first.
    ///
    /// # Errors
    /// As the database says.
    pub async fn list_messages_before(
        &mut self,
        chat: ChatId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            MessageRow,
            select_messages!(
                "and m.chat_id = $2 and m.position < $3 and not m.superseded order by m.position desc limit $4"
            ),
            self.owner,
            chat,
            before,
            i64::from(limit),
        )?)
    }

    /// One message of a chat.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_message(&mut self, chat: ChatId, message: MessageId) -> Result<Option<MessageRow>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            MessageRow,
            select_messages!(
                "and m.chat_id = $2 and m.id = $3 and exists
                   (select 1 from chats c where c.id = m.chat_id and c.owner_id = $1 and c.deleted_at is null)"
            ),
            self.owner,
            chat,
            message,
        )?)
    }

    /// The person's message with this sender's id.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_message_by_client_id(&mut self, client_id: ClientId) -> Result<Option<MessageRow>, StoreError> {
        Ok(fetch_optional!(self.tx, MessageRow, select_messages!("and m.client_id = $2"), self.owner, client_id,)?)
    }

    /// The first message after a position, superseded or not: the answer that was given to a person's message.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_message_after(&mut self, chat: ChatId, position: i64) -> Result<Option<MessageRow>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            MessageRow,
            select_messages!("and m.chat_id = $2 and m.position > $3 order by m.position limit 1"),
            self.owner,
            chat,
            position,
        )?)
    }

    /// How many messages of the conversation lie before a position.
    ///
    /// # Errors
    /// As the database says.
    pub async fn count_messages_before(&mut self, chat: ChatId, before: i64) -> Result<i64, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (i64,),
            "select count(*) from messages where owner_id = $1 and chat_id = $2 and position < $3 and not superseded",
            self.owner,
            chat,
            before,
        )?;
        Ok(row.map_or(0, |(count,)| count))
    }

    /// Takes an answer out of the conversation, because it is asked for anew.
    ///
    /// # Errors
    /// As the database says.
    pub async fn supersede_message(&mut self, message: MessageId) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "update messages set superseded = true where owner_id = $1 and id = $2 and state <> 'open'",
            self.owner,
            message,
        )?;
        Ok(())
    }

    /// Opens an answer again, so that it can go on.
    ///
    /// # Errors
    /// As the database says.
    pub async fn reopen_message(&mut self, message: MessageId) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "update messages set state = 'open', failure = null where owner_id = $1 and id = $2",
            self.owner,
            message,
        )?;
        Ok(())
    }
}
