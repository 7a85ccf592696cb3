//! The installation's own keys, created on first start and stored in `data/keys/`.

mod data;

use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rand::{TryRngCore, rngs::OsRng};
use secrecy::{ExposeSecret, SecretBox};

pub use data::{DataKey, DataKeys};

const FOLDER: &str = "keys";
const SESSION_KEY_FILE: &str = "installation.key";

/// The keys of this installation.
pub struct Keys {
    session: SecretBox<[u8; 32]>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys { .. }")
    }
}

/// Why the keys cannot be used. Each message tells how to fix it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is a database, but not its key.
    #[error(
        "The key {path} is missing although the database is not empty. Restore it from your backup. \
         If it is lost for good, make a new one, after which everybody signs in again: \
         (umask 077; mkdir -p \"$(dirname {path})\"; head -c 32 /dev/urandom > {path})",
        path = .0.display()
    )]
    Missing(PathBuf),
    /// The file or directory is accessible to other users.
    #[error("{} can be read by others (mode {mode:03o}). Run: chmod {required:03o} {}", path.display(), path.display())]
    InsecurePermissions {
        /// The file or directory.
        path: PathBuf,
        /// The current permissions.
        mode: u32,
        /// The required permissions.
        required: u32,
    },
    /// The file is not a key.
    #[error("{} is not a key of 32 bytes. Restore it from your backup.", .0.display())]
    Malformed(PathBuf),
    /// A file system error.
    #[error("{} cannot be used ({cause}). Check that the folder is there and writable.", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
}

impl Keys {
    /// Reads the key below `data`, or creates it if the database is new.
    ///
    /// # Errors
    /// The key is missing although the database is not new, is accessible to other users, or is malformed.
    pub fn open(data: &Path, database_is_new: bool) -> Result<Self, KeyError> {
        let folder = data.join(FOLDER);
        let path = folder.join(SESSION_KEY_FILE);
        match fs::symlink_metadata(&path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && database_is_new => {
                create_key_file(&folder, &path)?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::Missing(path)),
            Err(cause) => return Err(KeyError::Io { path, cause }),
        }
        check_mode(&folder, 0o700)?;
        Ok(Self { session: read_key_file(&path)? })
    }

    /// The key with which session ids are hashed before they are stored.
    pub fn session_key(&self) -> &[u8; 32] {
        self.session.expose_secret()
    }
}

/// Reads a key file that only its owner can access.
fn read_key_file(path: &Path) -> Result<SecretBox<[u8; 32]>, KeyError> {
    check_mode(path, 0o600)?;
    let bytes = fs::read(path).map_err(|cause| KeyError::Io { path: path.to_owned(), cause })?;
    let key: [u8; 32] = bytes.try_into().map_err(|_| KeyError::Malformed(path.to_owned()))?;
    // A broken disk or a faulty script leaves a file of zeros.
    if key.iter().all(|byte| *byte == key[0]) {
        return Err(KeyError::Malformed(path.to_owned()));
    }
    Ok(SecretBox::new(Box::new(key)))
}

/// Writes a new key to a temporary file and links it to its path, so that neither a crash nor a second process that
/// starts at the same time leaves a partial key or replaces an existing one.
fn create_key_file(folder: &Path, path: &Path) -> Result<(), KeyError> {
    let failed = |cause| KeyError::Io { path: path.to_owned(), cause };
    let mut key = [0_u8; 32];
    OsRng.try_fill_bytes(&mut key).map_err(|error| failed(io::Error::other(error)))?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let temporary = folder.join(format!("draft.{:016x}", rand::random::<u64>()));
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(&key)?;
        file.sync_all()?;
        match fs::hard_link(&temporary, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => fs::File::open(folder)?.sync_all(),
        }
    })();
    let removed = fs::remove_file(&temporary);
    written.and(removed).map_err(failed)
}

fn check_mode(path: &Path, required: u32) -> Result<(), KeyError> {
    let found = fs::symlink_metadata(path).map_err(|cause| KeyError::Io { path: path.to_owned(), cause })?;
    let mode = found.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::InsecurePermissions { path: path.to_owned(), mode, required });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn a08_two_installations_have_different_keys_that_only_their_owner_can_read() {
        let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let first = Keys::open(one.path(), true).expect("a new key");
        let second = Keys::open(other.path(), true).expect("a new key");
        assert_ne!(first.session_key(), second.session_key());
        assert_eq!(mode(&one.path().join("keys")), 0o700);
        assert_eq!(mode(&one.path().join("keys/installation.key")), 0o600);
        assert_eq!(fs::read_dir(one.path().join("keys")).expect("a folder").count(), 1, "no draft is left");
        let again = Keys::open(one.path(), false).expect("the same key");
        assert_eq!(first.session_key(), again.session_key());
        assert_eq!(format!("{first:?}"), "Keys { .. }");
    }

    #[test]
    fn a08_a_lost_key_stops_the_start_and_is_not_replaced() {
        let data = tempfile::tempdir().expect("a folder");
        let error = Keys::open(data.path(), false).expect_err("there is no key");
        assert!(matches!(error, KeyError::Missing(_)), "{error}");
        assert!(error.to_string().contains("Restore it from your backup"), "{error}");
        assert!(!data.path().join("keys").exists());
    }

    #[test]
    fn a08_a_key_that_others_can_read_stops_the_start() {
        for (path, open, shut) in [("keys/installation.key", 0o640, 0o600), ("keys", 0o755, 0o700)] {
            let data = tempfile::tempdir().expect("a folder");
            Keys::open(data.path(), true).expect("a new key");
            let path = data.path().join(path);
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).expect("our file");
            let error = Keys::open(data.path(), false).expect_err("it is open to others").to_string();
            assert!(error.contains(&format!("chmod {shut:03o}")), "{error}");
        }
    }

    #[test]
    fn a08_half_a_key_and_a_key_of_zeros_stop_the_start() {
        for wrong in [&[7_u8; 31][..], &[0; 32], b""] {
            let data = tempfile::tempdir().expect("a folder");
            Keys::open(data.path(), true).expect("a new key");
            fs::write(data.path().join("keys/installation.key"), wrong).expect("our file");
            let error = Keys::open(data.path(), true).expect_err("it is no key");
            assert!(matches!(error, KeyError::Malformed(_)), "{error}");
        }
    }

    #[test]
    fn a08_two_processes_that_start_at_once_agree_on_one_key() {
        let data = tempfile::tempdir().expect("a folder");
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let open = || *Keys::open(data.path(), true).expect("a key").session_key();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }
}
