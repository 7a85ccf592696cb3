//! The rules by which chats are deleted some days after their last message.

use super::{
    StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{Timestamp, UserId};

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

impl Tx {
    /// What a person chose.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_retention(&mut self, user: UserId) -> Result<Option<RetentionRow>, StoreError> {
        let sql = "select retention_days, retention_from from users where id = $1";
        Ok(fetch_optional!(self, RetentionRow, sql, user)?)
    }

    /// Puts another choice in the place of a person's former one.
    ///
    /// # Errors
    /// As the database says.
    pub async fn update_retention(&mut self, user: UserId, rule: RetentionRow) -> Result<(), StoreError> {
        let sql = "update users set retention_days = $2, retention_from = $3 where id = $1";
        execute!(self, sql, user, rule.days, rule.from)?;
        Ok(())
    }

    /// Marks chats as deleted in which nothing was said since `moment` and nothing is being written, whoever's they
    /// are. At most 100 at a time; gives the owner of each.
    ///
    /// # Errors
    /// As the database says.
    pub async fn delete_chats_silent_since(
        &mut self,
        moment: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<UserId>, StoreError> {
        let owners = fetch_all!(
            self,
            (UserId,),
            "update chats set deleted_at = $2 where deleted_at is null and id in (
                 select c.id from chats c where c.deleted_at is null and c.active_at < $1
                 and not exists (select 1 from runs r where r.chat_id = c.id and r.state <> 'ended')
                 order by c.active_at limit $3)
             returning owner_id",
            moment,
            now,
            BATCH,
        )?;
        Ok(owners.into_iter().map(|(owner,)| owner).collect())
    }

    /// The same by what their owners chose, who keep what they have pinned.
    ///
    /// # Errors
    /// As the database says.
    pub async fn delete_chats_by_choice(&mut self, now: Timestamp) -> Result<Vec<UserId>, StoreError> {
        let owners = fetch_all!(
            self,
            (UserId,),
            "update chats set deleted_at = $1 where deleted_at is null and id in (
                 select c.id from users u join chats c on c.owner_id = u.id
                 where u.retention_days is not null and u.retention_from <= $1
                 and c.deleted_at is null and not c.pinned and c.active_at < $1 - u.retention_days * 86400000000
                 and not exists (select 1 from runs r where r.chat_id = c.id and r.state <> 'ended')
                 limit $2)
             returning owner_id",
            now,
            BATCH,
        )?;
        Ok(owners.into_iter().map(|(owner,)| owner).collect())
    }
}
