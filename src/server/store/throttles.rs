//! Rate limit counters: attempts per fixed time window, shared by all instances.

use super::{
    StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::Timestamp;

impl Tx {
    /// Counts one attempt under this key in the current window. A new window starts now if there is none. The last word
    /// of the key is the subject: the account or address that the limit applies to. Returns the attempts in this
    /// window, including this one, and the end of the window.
    pub async fn count_attempt(
        &mut self,
        key: &str,
        now: Timestamp,
        window_seconds: i64,
    ) -> Result<(i64, Timestamp), StoreError> {
        let row = fetch_optional!(
            self,
            (i64, Timestamp),
            "insert into throttles (key, subject, tries, ends_at) values ($1, $4, 1, $3)
             on conflict (key) do update set
               tries = case when throttles.ends_at <= $2 then 1 else throttles.tries + 1 end,
               ends_at = case when throttles.ends_at <= $2 then $3 else throttles.ends_at end
             returning tries, ends_at",
            key,
            now,
            now.plus_seconds(window_seconds),
            key.rsplit(' ').next().unwrap_or_default(),
        )?;
        row.ok_or(StoreError::Other(sqlx::Error::RowNotFound))
    }

    /// Decrements the counter by one attempt.
    pub async fn refund_attempt(&mut self, key: &str) -> Result<(), StoreError> {
        execute!(self, "update throttles set tries = tries - 1 where key = $1 and tries > 0", key)?;
        Ok(())
    }

    /// Deletes the counter under this key.
    pub async fn reset_attempts(&mut self, key: &str) -> Result<(), StoreError> {
        execute!(self, "delete from throttles where key = $1", key)?;
        Ok(())
    }
}
