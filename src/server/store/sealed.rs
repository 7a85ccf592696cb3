//! Values that are sealed under a key of the installation, and the keys that are in use.

use uuid::Uuid;

use super::{
    StoreError, Tx,
    db::{execute, fetch_all},
};
use crate::domain::Timestamp;

/// A column whose values are sealed. Its context is `label OWNER`.
#[derive(Debug)]
pub struct SealedColumn {
    /// Table and column, for people.
    pub name: &'static str,
    /// The first word of its context.
    pub label: &'static str,
    /// Selects the row's id, the owner's id and the sealed value.
    list: &'static str,
    /// Puts `$2` into row `$1` if `$3` is still there.
    update: &'static str,
}

/// The context under which a value of a person or a row is sealed.
pub fn sealed_context(label: &str, owner: Uuid) -> String {
    format!("{label} {owner}")
}

/// All sealed columns but the check of the keys themselves. Whoever adds a sealed column adds it here,
/// or a change of keys passes it over.
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
    /// Its id.
    pub key_id: String,
    /// A text that only this key opens.
    pub sealed: String,
    /// When another key took its place.
    pub retired_at: Option<Timestamp>,
}

impl Tx {
    /// The keys that are or were in use.
    pub async fn list_secret_keys(&mut self) -> Result<Vec<SecretKeyRow>, StoreError> {
        Ok(fetch_all!(self, SecretKeyRow, "select key_id, sealed, retired_at from secret_keys order by key_id")?)
    }

    /// Notes that a key is in use. One that is noted already stays as it is.
    pub async fn insert_secret_key(&mut self, key_id: &str, sealed: &str, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into secret_keys (key_id, sealed, created_at) values ($1, $2, $3) on conflict (key_id) do nothing",
            key_id,
            sealed,
            now,
        )?;
        Ok(())
    }

    /// Notes that this key seals from now on, and that the others do so no more.
    pub async fn retire_other_secret_keys(&mut self, key_id: &str, now: Timestamp) -> Result<(), StoreError> {
        execute!(self, "update secret_keys set retired_at = null where key_id = $1", key_id)?;
        execute!(
            self,
            "update secret_keys set retired_at = $2 where key_id <> $1 and retired_at is null",
            key_id,
            now
        )?;
        Ok(())
    }

    /// Forgets a key.
    pub async fn delete_secret_key(&mut self, key_id: &str) -> Result<(), StoreError> {
        execute!(self, "delete from secret_keys where key_id = $1", key_id)?;
        Ok(())
    }

    /// All values of a sealed column: the row's id, the context's owner, the value.
    pub async fn list_sealed(&mut self, column: &SealedColumn) -> Result<Vec<(Uuid, Uuid, String)>, StoreError> {
        Ok(fetch_all!(self, (Uuid, Uuid, String), column.list)?)
    }

    /// Replaces a sealed value, if it is still the one that was opened.
    pub async fn update_sealed(
        &mut self,
        column: &SealedColumn,
        row: Uuid,
        old: &str,
        new: &str,
    ) -> Result<u64, StoreError> {
        Ok(execute!(self, column.update, row, new, old)?)
    }
}
