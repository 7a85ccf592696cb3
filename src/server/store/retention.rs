//! The rules by which chats are deleted some days after their last message.

use super::{
    StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{ChatId, Timestamp, UserId};

/// Chats that are taken at a time.
const BATCH: i64 = 100;

/// What a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct RetentionRow {
    /// Days after the last message; `None` where chats are kept.
    #[sqlx(rename = "retention_days")]
    pub days: Option<i64>,
    /// When that begins to hold.
    #[sqlx(rename = "retention_from")]
    pub from: Option<Timestamp>,
}

/// By which rule a chat is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The installation's, which holds for all chats.
    Everybodys,
    /// Its owner's.
    Choice,
}

/// A chat in which nothing was said for long.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct SilentChat {
    /// Which.
    pub id: ChatId,
    /// Whose.
    pub owner_id: UserId,
    /// When something was last said.
    pub active_at: Timestamp,
}

impl Tx {
    /// What a person chose.
    pub async fn find_retention(&mut self, user: UserId) -> Result<Option<RetentionRow>, StoreError> {
        let sql = "select retention_days, retention_from from users where id = $1";
        Ok(fetch_optional!(self, RetentionRow, sql, user)?)
    }

    /// Puts another choice in the place of a person's former one.
    pub async fn update_retention(&mut self, user: UserId, rule: RetentionRow) -> Result<(), StoreError> {
        let sql = "update users set retention_days = $2, retention_from = $3 where id = $1";
        execute!(self, sql, user, rule.days, rule.from)?;
        Ok(())
    }

    /// Some chats in which nothing was said since `moment` and nothing is being written, whoever's they are, after a chat in
    /// their order.
    pub async fn list_chats_silent_since(
        &mut self,
        moment: Timestamp,
        after: Option<SilentChat>,
    ) -> Result<Vec<SilentChat>, StoreError> {
        let (active_at, id) = after.map_or((Timestamp::from_micros(i64::MIN), first()), |c| (c.active_at, c.id));
        Ok(fetch_all!(
            self,
            SilentChat,
            "select c.id, c.owner_id, c.active_at from chats c
             where c.deleted_at is null and c.active_at < $1 and (c.active_at, c.id) > ($2, $3)
             and not exists (select 1 from runs r where r.chat_id = c.id and r.state <> 'ended')
             order by c.active_at, c.id limit $4",
            moment,
            active_at,
            id,
            BATCH,
        )?)
    }

    /// The same by what their owners chose, who keep what they have pinned.
    pub async fn list_chats_by_choice(
        &mut self,
        now: Timestamp,
        after: Option<SilentChat>,
    ) -> Result<Vec<SilentChat>, StoreError> {
        Ok(fetch_all!(
            self,
            SilentChat,
            "select c.id, c.owner_id, c.active_at from users u join chats c on c.owner_id = u.id
             where u.retention_days is not null and u.retention_from <= $1
             and c.deleted_at is null and not c.pinned and c.active_at < $1 - u.retention_days * 86400000000
             and c.id > $2 and not exists (select 1 from runs r where r.chat_id = c.id and r.state <> 'ended')
             order by c.id limit $3",
            now,
            after.map_or(first(), |chat| chat.id),
            BATCH,
        )?)
    }

    /// Marks a chat as deleted, unless something was said in it since it was listed, it was pinned where that keeps it, or
    /// its owner changed their mind. Whether it was.
    pub async fn delete_silent_chat(
        &mut self,
        chat: &SilentChat,
        rule: Rule,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // First the row alone, which on PostgreSQL waits for whoever is writing in this chat: the second statement then sees
        // all that they have written, in other tables too.
        execute!(self, "update chats set active_at = active_at where id = $1", chat.id)?;
        let marked = execute!(
            self,
            "update chats set deleted_at = $2 where id = $1 and deleted_at is null and active_at = $3
             and not exists (select 1 from runs r where r.chat_id = chats.id and r.state <> 'ended')
             and ($4 or (not pinned and exists (
                 select 1 from users u where u.id = chats.owner_id and u.retention_days is not null
                 and u.retention_from <= $2 and chats.active_at < $2 - u.retention_days * 86400000000)))",
            chat.id,
            now,
            chat.active_at,
            rule == Rule::Everybodys,
        )?;
        Ok(marked == 1)
    }
}

/// An id before all others.
const fn first() -> ChatId {
    ChatId::from_uuid(uuid::Uuid::nil())
}
