//! Session records, under the hash of their ids.

use uuid::Uuid;

use super::{
    StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::{Timestamp, UserId};

impl Tx {
    /// Writes a new record. `named` is what it names: a sign-in, or one that is not finished.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] where the id is taken.
    pub async fn insert_session(
        &mut self,
        id: Uuid,
        record: &str,
        named: Option<Uuid>,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let user = self.find_user_of_session(named).await?;
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

    /// Replaces a record that is still there. A record that was deleted in the meantime stays deleted.
    pub async fn update_session(
        &mut self,
        id: Uuid,
        record: &str,
        named: Option<Uuid>,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let user = self.find_user_of_session(named).await?;
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

    /// Whose the sign-in, pending sign-in or ceremony is that a record names. `None` where it is nobody's, or not there.
    async fn find_user_of_session(&mut self, named: Option<Uuid>) -> Result<Option<UserId>, StoreError> {
        let Some(named) = named else { return Ok(None) };
        let row = fetch_optional!(
            self,
            (Option<UserId>,),
            "select coalesce((select user_id from sign_ins where id = $1),
                             (select user_id from pending_sign_ins where id = $1),
                             (select user_id from ceremonies where id = $1))",
            named,
        )?;
        Ok(row.and_then(|(user,)| user))
    }

    /// The record with this id, if it has not expired.
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
