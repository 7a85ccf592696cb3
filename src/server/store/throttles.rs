//! Counters of tries in windows of time, shared by all instances.

use super::{
    StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::Timestamp;

impl Tx {
    /// Counts one try under this key in its window, which starts now if there is none. The last word of the key says whose
    /// try it is.
    /// Gives the tries of the window with this one, and when it ends.
    pub async fn count_try(
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

    /// Takes one try back.
    pub async fn return_try(&mut self, key: &str) -> Result<(), StoreError> {
        execute!(self, "update throttles set tries = tries - 1 where key = $1 and tries > 0", key)?;
        Ok(())
    }

    /// Forgets the tries under this key.
    pub async fn delete_tries(&mut self, key: &str) -> Result<(), StoreError> {
        execute!(self, "delete from throttles where key = $1", key)?;
        Ok(())
    }
}
