//! The keys that encrypt secrets in the database: numbered files in `data/keys/secrets/`, or one from the
//! configuration.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};

use super::{FOLDER, KeyError, check_mode, create_key_file, read_key_file};

const SECRETS: &str = "secrets";
const EXTENSION: &str = ".key";
/// If the directory changed longer ago than this, its next change has another modification time.
const MTIME_RESOLUTION: Duration = Duration::from_secs(2);

/// A key and the id that encrypted values contain.
pub struct DataKey {
    id: String,
    bytes: SecretBox<[u8; 32]>,
}

impl DataKey {
    /// The id: the number of its file, or `c` and 16 hex digits for a key that is or was configured.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        self.bytes.expose_secret()
    }

    fn number(&self) -> Option<u64> {
        self.id.parse().ok()
    }
}

/// All available keys. One of them encrypts, all of them decrypt.
pub struct DataKeys {
    folder: PathBuf,
    configured: Option<DataKey>,
    /// The keys in files, ordered by number.
    stored: Vec<DataKey>,
    /// The modification time of the directory when its files were read. `None` if another change within the resolution
    /// of the timestamp could not be detected.
    modified_at: Option<SystemTime>,
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeys").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl DataKeys {
    /// Reads the keys below `data`; `configured` is the key from the configuration. Creates nothing.
    ///
    /// # Errors
    /// A file is accessible to other users, is not a key, or does not match its name.
    pub fn open(data: &Path, configured: Option<[u8; 32]>) -> Result<Self, KeyError> {
        let configured = configured.map(|key| DataKey { id: fingerprint(&key), bytes: SecretBox::new(Box::new(key)) });
        let mut keys =
            Self { folder: data.join(FOLDER).join(SECRETS), configured, stored: Vec::new(), modified_at: None };
        keys.refresh()?;
        Ok(keys)
    }

    /// The directory of the key files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the key with this id.
    pub fn find(&self, id: &str) -> Option<&DataKey> {
        self.configured.iter().chain(&self.stored).find(|key| key.id == id)
    }

    /// The key that encrypts: the configured one, otherwise the file with the highest number.
    pub fn newest(&self) -> Option<&DataKey> {
        self.configured.as_ref().or_else(|| self.stored.last().filter(|key| key.number().is_some()))
    }

    /// Whether the encrypting key comes from the configuration.
    pub const fn is_configured(&self) -> bool {
        self.configured.is_some()
    }

    /// Whether no key was added or removed since the directory was read, judging by its modification time.
    pub fn is_unchanged(&self) -> bool {
        self.modified_at.is_some() && self.modified_at == self.read_modified()
    }

    /// The modification time of the directory; `None` if it is too recent or unknown.
    fn read_modified(&self) -> Option<SystemTime> {
        let modified_at = fs::metadata(&self.folder).and_then(|folder| folder.modified()).ok()?;
        modified_at.elapsed().is_ok_and(|age| age > MTIME_RESOLUTION).then_some(modified_at)
    }

    /// Reads the directory again if its files have changed.
    ///
    /// # Errors
    /// The same as [`DataKeys::open`].
    pub fn refresh(&mut self) -> Result<(), KeyError> {
        let modified_at = self.read_modified();
        let ids = self.list()?;
        if ids.iter().eq(self.stored.iter().map(|key| &key.id)) {
            self.modified_at = modified_at;
            return Ok(());
        }
        check_mode(&self.folder, 0o700)?;
        let mut stored = Vec::new();
        for id in ids {
            let path = self.path(&id);
            let bytes = read_key_file(&path)?;
            if id.starts_with('c') && fingerprint(bytes.expose_secret()) != id {
                return Err(KeyError::Malformed(path));
            }
            stored.push(DataKey { id, bytes });
        }
        self.stored = stored;
        self.modified_at = modified_at;
        Ok(())
    }

    /// Creates the key file with the next number. If another process creates it at the same time, that one is used.
    ///
    /// # Errors
    /// A file system error.
    pub fn create_next(&mut self) -> Result<(), KeyError> {
        let next = self.stored.iter().filter_map(DataKey::number).max().unwrap_or(0) + 1;
        create_key_file(&self.folder, &self.path(&next.to_string()))?;
        self.refresh()
    }

    /// Removes the file of a key that is no longer used.
    ///
    /// # Errors
    /// A file system error.
    pub fn remove(&mut self, id: &str) -> Result<(), KeyError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(KeyError::Io { path, cause }),
            _ => self.refresh(),
        }
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}{EXTENSION}"))
    }

    /// The ids of the existing files, numbers last and in ascending order.
    fn list(&self) -> Result<Vec<String>, KeyError> {
        let failed = |cause| KeyError::Io { path: self.folder.clone(), cause };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            // Temporary files and unrelated files are ignored.
            ids.extend(
                name.to_str().and_then(|name| name.strip_suffix(EXTENSION)).filter(|id| is_id(id)).map(str::to_owned),
            );
        }
        ids.sort_by_cached_key(|id| (id.parse::<u64>().ok(), id.clone()));
        Ok(ids)
    }
}

/// The id of a key without a number: a hash that does not reveal the key.
fn fingerprint(key: &[u8; 32]) -> String {
    let digest = Sha256::new().chain_update(b"colloquy secrets key").chain_update(key).finalize();
    digest.iter().take(8).fold("c".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

/// Each id has exactly one spelling: a number without leading zeros, or a fingerprint.
fn is_id(text: &str) -> bool {
    let number = text.parse::<u64>().is_ok_and(|number| number.to_string() == text);
    let hex = |rest: &str| rest.len() == 16 && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    number || text.strip_prefix('c').is_some_and(hex)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn k03_keys_are_numbered_private_files_and_the_newest_seals() {
        let data = tempfile::tempdir().expect("a folder");
        let mut keys = DataKeys::open(data.path(), None).expect("no keys");
        assert!(keys.newest().is_none() && !data.path().join("keys").exists(), "opening makes nothing");
        for number in 1..=10 {
            keys.create_next().expect("a key");
            assert_eq!(keys.newest().map(DataKey::id), Some(number.to_string().as_str()));
        }
        let folder = data.path().join("keys/secrets");
        assert_eq!((mode(&folder), mode(&folder.join("1.key"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 10, "no draft is left");
        let again = DataKeys::open(data.path(), None).expect("the same keys");
        assert_eq!(again.newest().map(DataKey::bytes), keys.newest().map(DataKey::bytes));
        assert_ne!(again.find("1").map(DataKey::bytes), again.find("2").map(DataKey::bytes));
        keys.remove("1").expect("our file");
        assert!(keys.find("1").is_none() && keys.find("2").is_some());
        assert!(!format!("{keys:?}").contains("bytes"));
    }

    #[test]
    fn k03_a_configured_key_seals_and_can_be_stored_as_a_file_afterwards() {
        let data = tempfile::tempdir().expect("a folder");
        DataKeys::open(data.path(), None).expect("no keys").create_next().expect("a key");
        let keys = DataKeys::open(data.path(), Some([7; 32])).expect("two keys");
        let id = keys.newest().expect("the configured one").id().to_owned();
        assert!(id.starts_with('c') && keys.find("1").is_some() && keys.is_configured(), "{id}");

        let file = data.path().join(format!("keys/secrets/{id}.key"));
        let bytes: Vec<u8> = (0..32).collect();
        fs::write(&file, &bytes).expect("our folder");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our file");
        let error = DataKeys::open(data.path(), None).expect_err("it is another key");
        assert!(matches!(error, KeyError::Malformed(_)), "{error}");

        let right = fingerprint(&bytes.try_into().expect("32 bytes"));
        fs::rename(&file, file.with_file_name(format!("{right}.key"))).expect("our file");
        let keys = DataKeys::open(data.path(), None).expect("two keys");
        assert!(keys.find(&right).is_some());
        assert_eq!(keys.newest().map(DataKey::id), Some("1"), "a numbered one seals");
    }

    #[test]
    fn k03_a_key_that_others_can_read_or_that_is_truncated_is_rejected() {
        let data = tempfile::tempdir().expect("a folder");
        DataKeys::open(data.path(), None).expect("no keys").create_next().expect("a key");
        let file = data.path().join("keys/secrets/1.key");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("our file");
        let error = DataKeys::open(data.path(), None).expect_err("it is open to others").to_string();
        assert!(error.contains("chmod 600"), "{error}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our file");
        fs::write(&file, [1; 31]).expect("our file");
        assert!(matches!(DataKeys::open(data.path(), None), Err(KeyError::Malformed(_))));
    }
}
