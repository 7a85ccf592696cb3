//! Seals what the server must be able to read again (authenticator apps' secrets, the state of passkeys' ceremonies),
//! so that a copy of the database without the keys gives none of it away.
//!
//! XChaCha20-Poly1305 under a random nonce of 24 bytes. The context (such as `totp USERID`) is authenticated, so that
//! a sealed value opens nowhere else than where it belongs.

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

/// The form of sealed values: `v1.KEYID.BASE64(nonce, ciphertext)`.
const VERSION: &str = "v1";
const NONCE_BYTES: usize = 24;
/// What the check of each key says.
const CHECK: &[u8] = b"colloquy";

/// Seals and opens. Shared by cloning.
#[derive(Clone)]
pub struct Secrets(Arc<RwLock<DataKeys>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets { .. }")
    }
}

/// Why secrets cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// A key that is in use is not there.
    #[error(
        "The key {id} is missing, under which secrets in the database are sealed. Restore {path} from your backup{hint}.",
        path = path.display(),
        hint = if id.starts_with('c') { ", or set `secrets_key` to it again" } else { "" }
    )]
    Lost {
        /// Its id.
        id: String,
        /// Where its file would be.
        path: PathBuf,
    },
    /// There is a key with the right id, but it opens nothing.
    #[error(
        "The key {id} is not the one under which secrets in the database are sealed. \
         Restore {path} from the backup that belongs to this database.",
        path = path.display()
    )]
    Wrong {
        /// Its id.
        id: String,
        /// Where its file is.
        path: PathBuf,
    },
    /// A sealed value was changed, cut off, or put where it does not belong.
    #[error("a sealed value ({0}) does not open")]
    Unreadable(String),
    /// The system gave no randomness, or the value is too long.
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
    /// Reads the keys below `data` and proves by the database's checks that all keys in use are there and right.
    /// Makes the first key where none was ever in use. `configured` is the one from the configuration.
    ///
    /// # Errors
    /// A key is lost, wrong, malformed, or open to others; as the database says.
    pub async fn open(
        data: &Path,
        configured: Option<[u8; 32]>,
        store: &Store,
        clock: &Clock,
    ) -> Result<Self, SecretError> {
        let secrets = Self::open_checked(data, configured, store).await?;
        let (id, check) = secrets.sealing_check()?;
        let mut tx = store.write().await?;
        tx.insert_secret_key(&id, &check, clock.now()).await?;
        tx.commit().await?;
        // Another server with other keys may have been faster.
        secrets.check(store).await?;
        Ok(secrets)
    }

    async fn open_checked(data: &Path, configured: Option<[u8; 32]>, store: &Store) -> Result<Self, SecretError> {
        let secrets = Self(Arc::new(RwLock::new(DataKeys::open(data, configured)?)));
        secrets.check(store).await?;
        Ok(secrets)
    }

    /// Seals a value under the newest key.
    ///
    /// # Errors
    /// [`SecretError::Sealing`].
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<String, SecretError> {
        // The configured key seals in any case.
        if !self.read().is_configured() {
            self.refresh();
        }
        let keys = self.read();
        let key = keys.newest().ok_or_else(|| SecretError::Sealing("there is no key".to_owned()))?;
        seal(key, context, plain)
    }

    /// Opens what was sealed in this context.
    ///
    /// # Errors
    /// [`SecretError::Lost`], [`SecretError::Unreadable`].
    pub fn open_sealed(&self, context: &str, sealed: &str) -> Result<Vec<u8>, SecretError> {
        let id = key_of(sealed).ok_or_else(|| SecretError::Unreadable(context.to_owned()))?;
        if self.read().find(id).is_none() {
            self.refresh();
        }
        let keys = self.read();
        let key = keys.find(id).ok_or_else(|| lost(&keys, id))?;
        open(key, context, sealed)
    }

    /// Opens the check of every key that is noted in the database.
    async fn check(&self, store: &Store) -> Result<(), SecretError> {
        for row in store.read().await?.list_secret_keys().await? {
            let keys = self.read();
            let key = keys.find(&row.key_id).ok_or_else(|| lost(&keys, &row.key_id))?;
            if open(key, &check_context(&row.key_id), &row.sealed).ok().as_deref() != Some(CHECK) {
                return Err(SecretError::Wrong { path: file(&keys, &row.key_id), id: row.key_id });
            }
        }
        Ok(())
    }

    /// The id of the key that seals, which is made where there is none, and a new check of it.
    fn sealing_check(&self) -> Result<(String, String), SecretError> {
        let mut keys = self.write();
        if keys.newest().is_none() {
            keys.make_next()?;
        }
        let key = keys.newest().ok_or_else(|| SecretError::Sealing("there is no key".to_owned()))?;
        Ok((key.id().to_owned(), seal(key, &check_context(key.id()), CHECK)?))
    }

    /// Looks for keys that a change of keys has made while this server runs. What it knows it keeps in any case. As long as the
    /// folder has not changed, nothing is read and nobody waits: strangers can have things sealed.
    fn refresh(&self) {
        if self.read().are_current() {
            return;
        }
        if let Err(error) = self.write().refresh() {
            tracing::warn!(%error, "the folder of keys cannot be read; the known keys are used");
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

fn file(keys: &DataKeys, id: &str) -> PathBuf {
    keys.folder().join(format!("{id}.key"))
}

fn lost(keys: &DataKeys, id: &str) -> SecretError {
    SecretError::Lost { id: id.to_owned(), path: file(keys, id) }
}

/// The id of the key that a value is sealed under.
fn key_of(sealed: &str) -> Option<&str> {
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
        keys.make_next().expect("a key");
        (data, Secrets(Arc::new(RwLock::new(keys))))
    }

    #[test]
    fn k03_what_is_sealed_opens_in_its_context_only_and_never_looks_the_same() {
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
        let lost = secrets.open_sealed("totp ada", &sealed.replace("v1.1.", "v1.9.")).expect_err("no such key");
        assert!(lost.to_string().contains("9.key"), "{lost}");
    }

    #[test]
    fn k03_sealing_reads_no_folder_that_has_not_changed() {
        let (data, secrets) = secrets();
        let folder = std::fs::File::open(data.path().join("keys/secrets")).expect("the folder");
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        folder.set_modified(long_ago).expect("our folder");
        secrets.seal("totp ada", b"one").expect("sealed");
        // Whoever would read the folder would need the keys for themselves.
        let held = secrets.read();
        std::thread::scope(|scope| {
            let (sender, sealed) = std::sync::mpsc::channel();
            let other = &secrets;
            scope.spawn(move || sender.send(other.seal("totp ada", b"two").is_ok()));
            let sealed = sealed.recv_timeout(std::time::Duration::from_secs(10));
            drop(held);
            assert_eq!(sealed, Ok(true));
        });
        DataKeys::open(data.path(), None).expect("keys").make_next().expect("a key");
        let new = secrets.seal("totp ada", b"three").expect("sealed");
        assert!(new.starts_with("v1.2."), "a change is seen at once: {new}");
    }

    #[test]
    fn k03_a_key_made_by_another_process_is_found_and_seals() {
        let (data, secrets) = secrets();
        let old = secrets.seal("totp ada", b"one").expect("sealed");
        DataKeys::open(data.path(), None).expect("keys").make_next().expect("a key");
        let new = secrets.seal("totp ada", b"two").expect("sealed");
        assert!(new.starts_with("v1.2."), "{new}");
        assert_eq!(secrets.open_sealed("totp ada", &old).expect("opened"), b"one");
        assert_eq!(secrets.open_sealed("totp ada", &new).expect("opened"), b"two");
    }
}
