//! Key rotation: seals all values again with another key.

use std::{collections::BTreeSet, fmt, path::Path};

use super::{SecretError, Secrets, check_context, key_id_of, open, seal};
use crate::server::{
    clock::Clock,
    secrets::{CHECK_PLAINTEXT, missing_key},
    store::{SEALED_COLUMNS, Store, Tx, sealed_context},
};

/// The result of a key rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The id of the key that seals now.
    pub key: String,
    /// Whether it comes from the configuration.
    pub configured: bool,
    /// The number of resealed values per column.
    pub sealed: Vec<(&'static str, u64)>,
    /// Keys that seal nothing any more and are kept until the next rotation.
    pub kept: Vec<String>,
    /// Keys that were removed.
    pub removed: Vec<String>,
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = if self.configured { " of the configuration" } else { "" };
        writeln!(f, "The key {}{origin} seals from now on.", self.key)?;
        for (column, count) in &self.sealed {
            writeln!(f, "  {column}: {count} sealed anew")?;
        }
        if !self.kept.is_empty() {
            let kept = self.kept.join(", ");
            writeln!(f, "Kept until the next change, for servers that still run with them: {kept}.")?;
        }
        if !self.removed.is_empty() {
            writeln!(f, "Removed, because nothing uses them any more: {}.", self.removed.join(", "))?;
        }
        write!(f, "Back up the folder of keys again.")
    }
}

impl Secrets {
    /// Creates a new key (or uses the configured one), reseals all values with it in one transaction, and removes keys
    /// that have not been used since the previous rotation. Running servers find the new key themselves.
    ///
    /// Safe to repeat after a crash: a key that was created but not used yet is reused, and no value changes until the
    /// transaction is committed.
    ///
    /// # Errors
    /// The same as [`Secrets::open`]; or a value cannot be opened.
    pub async fn rotate(
        data: &Path,
        configured: Option<[u8; 32]>,
        store: &Store,
        clock: &Clock,
    ) -> Result<Rotation, SecretError> {
        // Not `open`, which would record a key left behind by a crash as used.
        let secrets = Self::open_checked(data, configured, store).await?;
        secrets.reseal(store, clock).await
    }

    async fn reseal(&self, store: &Store, clock: &Clock) -> Result<Rotation, SecretError> {
        let known = store.read().await?.engine().list_secret_keys().await?;
        let (key, configured) =
            self.next_key(|id| known.iter().any(|row| row.key_id == id && row.retired_at.is_none()))?;
        let now = clock.now();
        let mut tx = store.write().await?;
        tx.engine().insert_secret_key(&key, &self.seal_with(&key, &check_context(&key), CHECK_PLAINTEXT)?, now).await?;
        let (sealed, used) = self.reseal_all(&mut tx, &key).await?;
        let (mut kept, mut removed) = (Vec::new(), Vec::new());
        for row in known.into_iter().filter(|row| row.key_id != key) {
            // Another server may still use the previous key.
            if row.retired_at.is_some() && !used.contains(&row.key_id) {
                tx.engine().delete_secret_key(&row.key_id).await?;
                removed.push(row.key_id);
            } else {
                kept.push(row.key_id);
            }
        }
        tx.engine().retire_other_secret_keys(&key, now).await?;
        tx.commit().await?;
        let mut keys = self.write();
        // Only these: a file without a row may be the new key of another rotation that is running now.
        for id in &removed {
            keys.remove(id)?;
        }
        Ok(Rotation { key, configured, sealed, kept, removed })
    }

    /// The id of the key to seal with: the configured one, one that was created but not used, or a new one.
    fn next_key(&self, is_in_use: impl Fn(&str) -> bool) -> Result<(String, bool), SecretError> {
        let mut keys = self.write();
        keys.refresh()?;
        if !keys.is_configured() && keys.newest().is_none_or(|key| is_in_use(key.id())) {
            keys.create_next()?;
        }
        let key = keys.newest().ok_or_else(|| SecretError::Sealing("there is no key".to_owned()))?;
        Ok((key.id().to_owned(), keys.is_configured()))
    }

    fn seal_with(&self, id: &str, context: &str, plain: &[u8]) -> Result<String, SecretError> {
        let keys = self.read();
        seal(keys.find(id).ok_or_else(|| missing_key(&keys, id))?, context, plain)
    }

    /// Reseals every value that is not sealed with this key. Returns the number per column, and the ids of the previous
    /// keys.
    async fn reseal_all(
        &self,
        tx: &mut Tx,
        key: &str,
    ) -> Result<(Vec<(&'static str, u64)>, BTreeSet<String>), SecretError> {
        let (mut counts, mut used) = (Vec::new(), BTreeSet::new());
        for column in &SEALED_COLUMNS {
            let mut count = 0;
            for (row, owner, old) in tx.engine().list_sealed(column).await? {
                let id = key_id_of(&old).ok_or_else(|| SecretError::Unreadable(column.name.to_owned()))?;
                if id == key {
                    continue;
                }
                used.insert(id.to_owned());
                let context = sealed_context(column.label, owner);
                let plain = {
                    let keys = self.read();
                    open(keys.find(id).ok_or_else(|| missing_key(&keys, id))?, &context, &old)?
                };
                let new = self.seal_with(key, &context, &plain)?;
                count += tx.engine().update_sealed(column, row, &old, &new).await?;
            }
            counts.push((column.name, count));
        }
        Ok((counts, used))
    }
}
