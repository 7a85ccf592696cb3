//! Retention rules, which delete chats some days after their last message.

use super::{
    Engine, Owned, StoreError,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{ChatId, Timestamp, UserId};

/// The number of chats per query.
const BATCH_SIZE: i64 = 100;

/// The retention rule that a user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct RetentionRow {
    /// Days after the last message; `None` to keep chats.
    #[sqlx(rename = "retention_days")]
    pub days: Option<i64>,
    /// When the rule takes effect.
    #[sqlx(rename = "retention_from")]
    pub from: Option<Timestamp>,
}

/// The rule by which a chat is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionRule {
    /// The rule of the installation, which applies to all chats.
    Installation,
    /// The rule of the chat's owner.
    User,
}

/// A chat without recent messages.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct InactiveChat {
    /// The chat's id.
    pub id: ChatId,
    /// The owner.
    pub owner_id: UserId,
    /// The time of the last message.
    pub active_at: Timestamp,
}

impl Owned<'_> {
    /// The retention rule that a user chose.
    pub async fn find_retention(&mut self) -> Result<Option<RetentionRow>, StoreError> {
        let sql = "select retention_days, retention_from from users where id = $1";
        Ok(fetch_optional!(self.tx, RetentionRow, sql, self.owner)?)
    }

    /// Replaces the retention rule of a user.
    pub async fn update_retention(&mut self, rule: RetentionRow) -> Result<(), StoreError> {
        let sql = "update users set retention_days = $2, retention_from = $3 where id = $1";
        execute!(self.tx, sql, self.owner, rule.days, rule.from)?;
        Ok(())
    }
}

impl Engine<'_> {
    /// A page of chats of all users that had no activity since `before` and have no open run, after the chat `after`.
    pub async fn list_inactive_chats(
        &mut self,
        before: Timestamp,
        after: Option<InactiveChat>,
    ) -> Result<Vec<InactiveChat>, StoreError> {
        let (active_at, id) = after.map_or((Timestamp::from_micros(i64::MIN), min_id()), |c| (c.active_at, c.id));
        Ok(fetch_all!(
            self.tx,
            InactiveChat,
            "select c.id, c.owner_id, c.active_at from chats c
             where c.deleted_at is null and c.active_at < $1 and (c.active_at, c.id) > ($2, $3)
             and not exists (select 1 from runs r where r.chat_id = c.id and r.state <> 'ended')
             order by c.active_at, c.id limit $4",
            before,
            active_at,
            id,
            BATCH_SIZE,
        )?)
    }

    /// A page of chats that are due by the rule of their owner, except pinned ones, after the chat `after`.
    pub async fn list_chats_due_by_user_rule(
        &mut self,
        now: Timestamp,
        after: Option<InactiveChat>,
    ) -> Result<Vec<InactiveChat>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            InactiveChat,
            "select c.id, c.owner_id, c.active_at from users u join chats c on c.owner_id = u.id
             where u.retention_days is not null and u.retention_from <= $1
             and c.deleted_at is null and not c.pinned and c.active_at < $1 - u.retention_days * 86400000000
             and c.id > $2 and not exists (select 1 from runs r where r.chat_id = c.id and r.state <> 'ended')
             order by c.id limit $3",
            now,
            after.map_or(min_id(), |chat| chat.id),
            BATCH_SIZE,
        )?)
    }

    /// Marks a chat as deleted; `false` if, since it was listed, it had activity, or no longer fits the owner's rule,
    /// for example because it was pinned.
    pub async fn delete_inactive_chat(
        &mut self,
        chat: &InactiveChat,
        rule: RetentionRule,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // On PostgreSQL this locks the row and waits for transactions that write to this chat. The second statement
        // then sees all of their changes, in other tables too.
        execute!(self.tx, "update chats set active_at = active_at where id = $1", chat.id)?;
        let marked = execute!(
            self.tx,
            "update chats set deleted_at = $2 where id = $1 and deleted_at is null and active_at = $3
             and not exists (select 1 from runs r where r.chat_id = chats.id and r.state <> 'ended')
             and ($4 or (not pinned and exists (
                 select 1 from users u where u.id = chats.owner_id and u.retention_days is not null
                 and u.retention_from <= $2 and chats.active_at < $2 - u.retention_days * 86400000000)))",
            chat.id,
            now,
            chat.active_at,
            rule == RetentionRule::Installation,
        )?;
        Ok(marked == 1)
    }
}

/// An id that sorts before all others.
const fn min_id() -> ChatId {
    ChatId::from_uuid(uuid::Uuid::nil())
}
