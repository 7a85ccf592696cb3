//! Encrypts data that the server must be able to decrypt (secrets of authenticator apps, state of passkey ceremonies),
//! so that a copy of the database without the keys does not reveal it.
//!
//! XChaCha20-Poly1305 with a random nonce of 24 bytes. The context (such as `totp USERID`) is authenticated, so a
//! sealed value can only be opened in the place that it was sealed for.

mod rotate;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use rand::{TryRngCore, rngs::OsRng};

pub use rotate::Rotation;

use super::{
    clock::Clock,
    keys::{DataKey, DataKeys, KeyError},
    store::{Store, StoreError},
};

/// The format of sealed values: `v1.KEYID.BASE64(nonce, ciphertext)`.
const VERSION: &str = "v1";
const NONCE_BYTES: usize = 24;
/// The plaintext of the check value that is stored for each key.
const CHECK_PLAINTEXT: &[u8] = b"colloquy";

/// Seals and opens values. Shared by cloning.
#[derive(Clone)]
pub struct Secrets(Arc<RwLock<DataKeys>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets { .. }")
    }
}

/// Why a value cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// A key in use is missing.
    #[error(
        "The key {id} is missing, under which secrets in the database are sealed. Restore {path} from your backup{hint}.",
        path = path.display(),
        hint = if id.starts_with('c') { ", or set `secrets_key` to it again" } else { "" }
    )]
    MissingKey {
        /// The id of the key.
        id: String,
        /// The expected path of its file.
        path: PathBuf,
    },
    /// The key with this id cannot open its check value.
    #[error(
        "The key {id} is not the one under which secrets in the database are sealed. \
         Restore {path} from the backup that belongs to this database.",
        path = path.display()
    )]
    WrongKey {
        /// The id of the key.
        id: String,
        /// The path of its file.
        path: PathBuf,
    },
    /// A sealed value was modified, truncated, or moved to another place.
    #[error("a sealed value ({0}) does not open")]
    Unreadable(String),
    /// The system provided no randomness, or the value is too long.
    #[error("a value could not be sealed ({0})")]
    Sealing(String),
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database cannot be used.
    #[error("The database cannot be used: {0}")]
    Store(#[from] StoreError),
}

impl Secrets {
    /// Reads the keys below `data` and verifies with the check values in the database that all keys in use exist and
    /// are correct. Creates the first key if none was ever used. `configured` is the key from the configuration.
    ///
    /// # Errors
    /// A key is missing, wrong, malformed, or accessible to other users; or a database error.
    pub async fn open(
        data: &Path,
        configured: Option<[u8; 32]>,
        store: &Store,
        clock: &Clock,
    ) -> Result<Self, SecretError> {
        let secrets = Self::open_checked(data, configured, store).await?;
        let (id, check) = secrets.sealing_check()?;
        let mut tx = store.write().await?;
        tx.engine().insert_secret_key(&id, &check, clock.now()).await?;
        tx.commit().await?;
        // Another server with other keys may have been first.
        secrets.check(store).await?;
        Ok(secrets)
    }

    async fn open_checked(data: &Path, configured: Option<[u8; 32]>, store: &Store) -> Result<Self, SecretError> {
        let secrets = Self(Arc::new(RwLock::new(DataKeys::open(data, configured)?)));
        secrets.check(store).await?;
        Ok(secrets)
    }

    /// Seals a value with the newest key.
    ///
    /// # Errors
    /// [`SecretError::Sealing`].
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<String, SecretError> {
        // A configured key is always the one that seals.
        if !self.read().is_configured() {
            self.refresh();
        }
        let keys = self.read();
        let key = keys.newest().ok_or_else(|| SecretError::Sealing("there is no key".to_owned()))?;
        seal(key, context, plain)
    }

    /// Opens a value that was sealed in this context.
    ///
    /// # Errors
    /// [`SecretError::MissingKey`], [`SecretError::Unreadable`].
    pub fn open_sealed(&self, context: &str, sealed: &str) -> Result<Vec<u8>, SecretError> {
        let id = key_id_of(sealed).ok_or_else(|| SecretError::Unreadable(context.to_owned()))?;
        if self.read().find(id).is_none() {
            self.refresh();
        }
        let keys = self.read();
        let key = keys.find(id).ok_or_else(|| missing_key(&keys, id))?;
        open(key, context, sealed)
    }

    /// Opens the check value of every key in the database.
    async fn check(&self, store: &Store) -> Result<(), SecretError> {
        for row in store.read().await?.engine().list_secret_keys().await? {
            let keys = self.read();
            let key = keys.find(&row.key_id).ok_or_else(|| missing_key(&keys, &row.key_id))?;
            if open(key, &check_context(&row.key_id), &row.sealed).ok().as_deref() != Some(CHECK_PLAINTEXT) {
                return Err(SecretError::WrongKey { path: key_path(&keys, &row.key_id), id: row.key_id });
            }
        }
        Ok(())
    }

    /// Returns the id of the key that seals, which is created if there is none, and a new check value for it.
    fn sealing_check(&self) -> Result<(String, String), SecretError> {
        let mut keys = self.write();
        if keys.newest().is_none() {
            keys.create_next()?;
        }
        let key = keys.newest().ok_or_else(|| SecretError::Sealing("there is no key".to_owned()))?;
        Ok((key.id().to_owned(), seal(key, &check_context(key.id()), CHECK_PLAINTEXT)?))
    }

    /// Loads keys that a rotation has created while this server runs. Known keys are never dropped. While the directory
    /// is unchanged, this reads no files and takes no write lock: strangers can trigger sealing.
    fn refresh(&self) {
        if self.read().is_unchanged() {
            return;
        }
        if let Err(error) = self.write().refresh() {
            tracing::warn!(%error, "cannot read the key directory; using the keys in memory");
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, DataKeys> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, DataKeys> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_context(id: &str) -> String {
    format!("check {id}")
}

fn key_path(keys: &DataKeys, id: &str) -> PathBuf {
    keys.folder().join(format!("{id}.key"))
}

fn missing_key(keys: &DataKeys, id: &str) -> SecretError {
    SecretError::MissingKey { id: id.to_owned(), path: key_path(keys, id) }
}

/// The id of the key with which a value is sealed.
fn key_id_of(sealed: &str) -> Option<&str> {
    let (version, rest) = sealed.split_once('.')?;
    let (id, _) = rest.split_once('.')?;
    (version == VERSION).then_some(id)
}

fn seal(key: &DataKey, context: &str, plain: &[u8]) -> Result<String, SecretError> {
    let failed = |error: &dyn fmt::Display| SecretError::Sealing(error.to_string());
    let mut nonce = [0_u8; NONCE_BYTES];
    OsRng.try_fill_bytes(&mut nonce).map_err(|error| failed(&error))?;
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let payload = Payload { msg: plain, aad: context.as_bytes() };
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|error| failed(&error))?;
    let text = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
    Ok(format!("{VERSION}.{}.{text}", key.id()))
}

fn open(key: &DataKey, context: &str, sealed: &str) -> Result<Vec<u8>, SecretError> {
    let unreadable = || SecretError::Unreadable(context.to_owned());
    let text = sealed.rsplit('.').next().unwrap_or_default();
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| unreadable())?;
    let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(unreadable)?;
    let cipher = XChaCha20Poly1305::new(key.bytes().into());
    let payload = Payload { msg: ciphertext, aad: context.as_bytes() };
    cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> (tempfile::TempDir, Secrets) {
        let data = tempfile::tempdir().expect("a folder");
        let mut keys = DataKeys::open(data.path(), None).expect("no keys");
        keys.create_next().expect("a key");
        (data, Secrets(Arc::new(RwLock::new(keys))))
    }

    #[test]
    fn k03_sealed_values_open_only_in_their_context_and_differ_each_time() {
        let (_data, secrets) = secrets();
        let sealed = secrets.seal("totp ada", b"CaNaRy").expect("sealed");
        assert!(sealed.starts_with("v1.1.") && !sealed.contains("CaNaRy"), "{sealed}");
        assert_eq!(secrets.open_sealed("totp ada", &sealed).expect("opened"), b"CaNaRy");
        assert_ne!(secrets.seal("totp ada", b"CaNaRy").expect("sealed"), sealed);
        for context in ["totp bob", "ceremony ada", ""] {
            assert!(matches!(secrets.open_sealed(context, &sealed), Err(SecretError::Unreadable(_))), "{context}");
        }
        assert_eq!(format!("{secrets:?}"), "Secrets { .. }");
    }

    #[test]
    fn k03_a_changed_or_foreign_value_does_not_open() {
        let (_data, secrets) = secrets();
        let sealed = secrets.seal("totp ada", b"CaNaRy").expect("sealed");
        let text = sealed.strip_prefix("v1.1.").expect("the form");
        for at in 0..text.len() {
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            let changed = format!("v1.1.{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(secrets.open_sealed("totp ada", &changed).is_err(), "{at}");
        }
        for broken in ["", "v1", "v1.1", "v1.1.", "v1.1.AAAA", "v2.1.AAAA", &sealed[..sealed.len() - 1]] {
            assert!(matches!(secrets.open_sealed("totp ada", broken), Err(SecretError::Unreadable(_))), "{broken}");
        }
        let missing_key = secrets.open_sealed("totp ada", &sealed.replace("v1.1.", "v1.9.")).expect_err("no such key");
        assert!(missing_key.to_string().contains("9.key"), "{missing_key}");
    }

    #[test]
    fn k03_sealing_does_not_read_an_unchanged_directory() {
        let (data, secrets) = secrets();
        let folder = std::fs::File::open(data.path().join("keys/secrets")).expect("the folder");
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        folder.set_modified(long_ago).expect("our folder");
        secrets.seal("totp ada", b"one").expect("sealed");
        // Reading the directory would need the write lock.
        let held = secrets.read();
        std::thread::scope(|scope| {
            let (sender, sealed) = std::sync::mpsc::channel();
            let other = &secrets;
            scope.spawn(move || sender.send(other.seal("totp ada", b"two").is_ok()));
            let sealed = sealed.recv_timeout(std::time::Duration::from_secs(10));
            drop(held);
            assert_eq!(sealed, Ok(true));
        });
        DataKeys::open(data.path(), None).expect("keys").create_next().expect("a key");
        let new = secrets.seal("totp ada", b"three").expect("sealed");
        assert!(new.starts_with("v1.2."), "a change is seen at once: {new}");
    }

    #[test]
    fn k03_a_key_made_by_another_process_is_found_and_seals() {
        let (data, secrets) = secrets();
        let old = secrets.seal("totp ada", b"one").expect("sealed");
        DataKeys::open(data.path(), None).expect("keys").create_next().expect("a key");
        let new = secrets.seal("totp ada", b"two").expect("sealed");
        assert!(new.starts_with("v1.2."), "{new}");
        assert_eq!(secrets.open_sealed("totp ada", &old).expect("opened"), b"one");
        assert_eq!(secrets.open_sealed("totp ada", &new).expect("opened"), b"two");
    }
}
