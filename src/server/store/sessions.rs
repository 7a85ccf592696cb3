//! Session records, under the hash of their ids.

use uuid::Uuid;

use super::{
    StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::Timestamp;

impl Tx {
    /// Writes a new record.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the id is taken.
    pub async fn insert_session(&mut self, id: Uuid, record: &str, expires_at: Timestamp) -> Result<(), StoreError> {
        execute!(self, "insert into sessions (id, record, expires_at) values ($1, $2, $3)", id, record, expires_at)?;
        Ok(())
    }

    /// Replaces a record that is still there. A record that was deleted in the meantime stays deleted.
    ///
    /// # Errors
    /// As the database says.
    pub async fn update_session(&mut self, id: Uuid, record: &str, expires_at: Timestamp) -> Result<bool, StoreError> {
        let changed =
            execute!(self, "update sessions set record = $2, expires_at = $3 where id = $1", id, record, expires_at)?;
        Ok(changed == 1)
    }

    /// The record with this id, if it has not expired.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_session(&mut self, id: Uuid, now: Timestamp) -> Result<Option<String>, StoreError> {
        let row =
            fetch_optional!(self, (String,), "select record from sessions where id = $1 and expires_at > $2", id, now)?;
        Ok(row.map(|(record,)| record))
    }

    /// Deletes a record.
    ///
    /// # Errors
    /// As the database says.
    pub async fn delete_session(&mut self, id: Uuid) -> Result<(), StoreError> {
        execute!(self, "delete from sessions where id = $1", id)?;
        Ok(())
    }

    /// Deletes what has expired: session records, throttles, pending sign-ins, ceremonies, links, mails that were sent a week
    /// ago or given up a month ago, people who never came back from a provider, and what was written down more than
    /// `audit_days` ago.
    ///
    /// # Errors
    /// As the database says.
    pub async fn delete_expired(&mut self, now: Timestamp, audit_days: u32) -> Result<u64, StoreError> {
        let sessions = execute!(self, "delete from sessions where expires_at <= $1", now)?;
        let throttles = execute!(self, "delete from throttles where ends_at <= $1", now)?;
        let acts =
            execute!(self, "delete from audit where at < $1", now.plus_seconds(-86_400 * i64::from(audit_days)))?;
        let flows = execute!(self, "delete from provider_flows where expires_at <= $1", now)?;
        let pending = execute!(self, "delete from pending_sign_ins where expires_at <= $1", now)?;
        let ceremonies = execute!(self, "delete from ceremonies where expires_at <= $1", now)?;
        let links = execute!(self, "delete from links where expires_at <= $1", now)?;
        let mails = execute!(
            self,
            "delete from mails where sent_at <= $1 or (next_attempt_at is null and created_at <= $2)",
            now.plus_seconds(-7 * 86_400),
            now.plus_seconds(-30 * 86_400),
        )?;
        Ok(sessions + throttles + acts + flows + pending + ceremonies + links + mails)
    }
}
