//! Session records, stored under the hash of their session id.

use uuid::Uuid;

use super::{
    StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::{Timestamp, UserId};

impl Tx {
    /// Inserts a session record. `reference` is the id in the record: of a sign-in, a pending sign-in or a ceremony.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if the id is already in use.
    pub async fn insert_session(
        &mut self,
        id: Uuid,
        record: &str,
        reference: Option<Uuid>,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let user = self.find_user_of_session(reference).await?;
        execute!(
            self,
            "insert into sessions (id, record, expires_at, user_id) values ($1, $2, $3, $4)",
            id,
            record,
            expires_at,
            user,
        )?;
        Ok(())
    }

    /// Replaces an existing record; `false` if it was deleted in the meantime.
    pub async fn update_session(
        &mut self,
        id: Uuid,
        record: &str,
        reference: Option<Uuid>,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let user = self.find_user_of_session(reference).await?;
        let changed = execute!(
            self,
            "update sessions set record = $2, expires_at = $3, user_id = $4 where id = $1",
            id,
            record,
            expires_at,
            user,
        )?;
        Ok(changed == 1)
    }

    /// The user of the sign-in, pending sign-in or ceremony that a record refers to. `None` if it has no user or does
    /// not exist.
    async fn find_user_of_session(&mut self, reference: Option<Uuid>) -> Result<Option<UserId>, StoreError> {
        let Some(reference) = reference else { return Ok(None) };
        let row = fetch_optional!(
            self,
            (Option<UserId>,),
            "select coalesce((select user_id from sign_ins where id = $1),
                             (select user_id from pending_sign_ins where id = $1),
                             (select user_id from ceremonies where id = $1))",
            reference,
        )?;
        Ok(row.and_then(|(user,)| user))
    }

    /// The record with this id, unless it has expired.
    pub async fn find_session(&mut self, id: Uuid, now: Timestamp) -> Result<Option<String>, StoreError> {
        let row =
            fetch_optional!(self, (String,), "select record from sessions where id = $1 and expires_at > $2", id, now)?;
        Ok(row.map(|(record,)| record))
    }

    /// Deletes a record.
    pub async fn delete_session(&mut self, id: Uuid) -> Result<(), StoreError> {
        execute!(self, "delete from sessions where id = $1", id)?;
        Ok(())
    }
}
