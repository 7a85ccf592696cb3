//! Columns that are encrypted with a key of the installation, and the list of these keys.

use uuid::Uuid;

use super::{
    Engine, StoreError,
    db::{execute, fetch_all},
};
use crate::domain::Timestamp;

/// A column whose values are sealed (encrypted and authenticated). The context of a value is `label OWNER`.
#[derive(Debug)]
pub struct SealedColumn {
    /// Table and column, for the log.
    pub name: &'static str,
    /// The first part of the context.
    pub label: &'static str,
    /// Selects the row's id, the owner id of the context and the sealed value.
    list: &'static str,
    /// Sets the value of row `$1` to `$2` if it is still `$3`.
    update: &'static str,
}

/// The context (associated data) with which a value of a user or a row is sealed.
pub fn sealed_context(label: &str, owner: Uuid) -> String {
    format!("{label} {owner}")
}

/// All sealed columns except `secret_keys.sealed`. Every new sealed column must be added here, otherwise a key rotation
/// skips it.
pub const SEALED_COLUMNS: [SealedColumn; 2] = [
    SealedColumn {
        name: "factors.secret",
        label: "totp",
        list: "select id, user_id, secret from factors where secret is not null order by id",
        update: "update factors set secret = $2 where id = $1 and secret = $3",
    },
    SealedColumn {
        name: "ceremonies.state",
        label: "ceremony",
        list: "select id, id, state from ceremonies order by id",
        update: "update ceremonies set state = $2 where id = $1 and state = $3",
    },
];

/// A key that is or was in use.
#[derive(Debug, sqlx::FromRow)]
pub struct SecretKeyRow {
    /// The key's id.
    pub key_id: String,
    /// A known text that is sealed with this key, to verify the key.
    pub sealed: String,
    /// When another key replaced it; `None` for the current key.
    pub retired_at: Option<Timestamp>,
}

impl Engine<'_> {
    /// The keys that are or were in use.
    pub async fn list_secret_keys(&mut self) -> Result<Vec<SecretKeyRow>, StoreError> {
        Ok(fetch_all!(self.tx, SecretKeyRow, "select key_id, sealed, retired_at from secret_keys order by key_id")?)
    }

    /// Adds a key. Does nothing if it already exists.
    pub async fn insert_secret_key(&mut self, key_id: &str, sealed: &str, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into secret_keys (key_id, sealed, created_at) values ($1, $2, $3) on conflict (key_id) do nothing",
            key_id,
            sealed,
            now,
        )?;
        Ok(())
    }

    /// Makes this key the current one and marks all others as retired.
    pub async fn retire_other_secret_keys(&mut self, key_id: &str, now: Timestamp) -> Result<(), StoreError> {
        execute!(self.tx, "update secret_keys set retired_at = null where key_id = $1", key_id)?;
        execute!(
            self.tx,
            "update secret_keys set retired_at = $2 where key_id <> $1 and retired_at is null",
            key_id,
            now
        )?;
        Ok(())
    }

    /// Deletes a key.
    pub async fn delete_secret_key(&mut self, key_id: &str) -> Result<(), StoreError> {
        execute!(self.tx, "delete from secret_keys where key_id = $1", key_id)?;
        Ok(())
    }

    /// All values of a sealed column: the row's id, the owner id of the context, the value.
    pub async fn list_sealed(&mut self, column: &SealedColumn) -> Result<Vec<(Uuid, Uuid, String)>, StoreError> {
        Ok(fetch_all!(self.tx, (Uuid, Uuid, String), column.list)?)
    }

    /// Replaces a sealed value if it is still `old`. Returns the number of changed rows.
    pub async fn update_sealed(
        &mut self,
        column: &SealedColumn,
        row: Uuid,
        old: &str,
        new: &str,
    ) -> Result<u64, StoreError> {
        Ok(execute!(self.tx, column.update, row, new, old)?)
    }
}
