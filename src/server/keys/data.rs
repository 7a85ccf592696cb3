//! The keys that seal secrets of the database: numbered files in `data/keys/secrets/`, or one from the configuration.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use secrecy::{ExposeSecret, SecretBox};
use sha2::{Digest, Sha256};

use super::{FOLDER, KeyError, check_mode, make, read};

const SECRETS: &str = "secrets";
const ENDING: &str = ".key";
/// Age of a change of the folder from which on another one has another time.
const SETTLED: Duration = Duration::from_secs(2);

/// A key and the id by which sealed values name it.
pub struct DataKey {
    id: String,
    bytes: SecretBox<[u8; 32]>,
}

impl DataKey {
    /// Its id: the number of its file, or `c` and 16 digits for one that the configuration holds or held.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key itself.
    pub fn bytes(&self) -> &[u8; 32] {
        self.bytes.expose_secret()
    }

    fn number(&self) -> Option<u64> {
        self.id.parse().ok()
    }
}

/// All keys that can be had. One of them seals, all of them open.
pub struct DataKeys {
    folder: PathBuf,
    configured: Option<DataKey>,
    /// The files, by number.
    kept: Vec<DataKey>,
    /// When the folder had last changed as its files were read. Nothing where another change at the same moment could not be
    /// told from it.
    changed_at: Option<SystemTime>,
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeys").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl DataKeys {
    /// Reads the keys below `data`; `configured` is the one from the configuration. Makes nothing.
    ///
    /// # Errors
    /// A file can be read by others, is not a key, or is not the key that its name says.
    pub fn open(data: &Path, configured: Option<[u8; 32]>) -> Result<Self, KeyError> {
        let configured = configured.map(|key| DataKey { id: fingerprint(&key), bytes: SecretBox::new(Box::new(key)) });
        let mut keys = Self { folder: data.join(FOLDER).join(SECRETS), configured, kept: Vec::new(), changed_at: None };
        keys.refresh()?;
        Ok(keys)
    }

    /// The folder of the files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The key with this id.
    pub fn find(&self, id: &str) -> Option<&DataKey> {
        self.configured.iter().chain(&self.kept).find(|key| key.id == id)
    }

    /// The key that seals: the configured one, else the file with the greatest number.
    pub fn newest(&self) -> Option<&DataKey> {
        self.configured.as_ref().or_else(|| self.kept.last().filter(|key| key.number().is_some()))
    }

    /// Whether the configuration holds the key that seals.
    pub const fn is_configured(&self) -> bool {
        self.configured.is_some()
    }

    /// Whether no key came or went since the folder was read, as far as the folder itself tells.
    pub fn are_current(&self) -> bool {
        self.changed_at.is_some() && self.changed_at == self.read_change()
    }

    /// When the folder last changed; nothing where that was a moment ago, or is not known.
    fn read_change(&self) -> Option<SystemTime> {
        let changed_at = fs::metadata(&self.folder).and_then(|folder| folder.modified()).ok()?;
        changed_at.elapsed().is_ok_and(|age| age > SETTLED).then_some(changed_at)
    }

    /// Reads the folder again where its files are not the known ones any more.
    ///
    /// # Errors
    /// As [`DataKeys::open`].
    pub fn refresh(&mut self) -> Result<(), KeyError> {
        let changed_at = self.read_change();
        let ids = self.list()?;
        if ids.iter().eq(self.kept.iter().map(|key| &key.id)) {
            self.changed_at = changed_at;
            return Ok(());
        }
        check_mode(&self.folder, 0o700)?;
        let mut kept = Vec::new();
        for id in ids {
            let path = self.path(&id);
            let bytes = read(&path)?;
            if id.starts_with('c') && fingerprint(bytes.expose_secret()) != id {
                return Err(KeyError::Malformed(path));
            }
            kept.push(DataKey { id, bytes });
        }
        self.kept = kept;
        self.changed_at = changed_at;
        Ok(())
    }

    /// Makes the file of the next number. Where another process made it at the same moment, that one counts.
    ///
    /// # Errors
    /// As the system says.
    pub fn make_next(&mut self) -> Result<(), KeyError> {
        let next = self.kept.iter().filter_map(DataKey::number).max().unwrap_or(0) + 1;
        make(&self.folder, &self.path(&next.to_string()))?;
        self.refresh()
    }

    /// Removes the file of a key that nothing uses any more.
    ///
    /// # Errors
    /// As the system says.
    pub fn remove(&mut self, id: &str) -> Result<(), KeyError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(KeyError::System { path, cause }),
            _ => self.refresh(),
        }
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}{ENDING}"))
    }

    /// The ids of the files that are there, numbers last and in their order.
    fn list(&self) -> Result<Vec<String>, KeyError> {
        let failed = |cause| KeyError::System { path: self.folder.clone(), cause };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            // Drafts, and whatever else lies there, are no keys.
            ids.extend(
                name.to_str().and_then(|name| name.strip_suffix(ENDING)).filter(|id| is_id(id)).map(str::to_owned),
            );
        }
        ids.sort_by_cached_key(|id| (id.parse::<u64>().ok(), id.clone()));
        Ok(ids)
    }
}

/// The id of a key that has no number, which says what the key is without giving it away.
fn fingerprint(key: &[u8; 32]) -> String {
    let digest = Sha256::new().chain_update(b"colloquy secrets key").chain_update(key).finalize();
    digest.iter().take(8).fold("c".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

/// One spelling per id: a number without zeros before it, or a fingerprint.
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
    fn k03_keys_are_numbered_files_that_only_their_owner_can_read_and_the_newest_seals() {
        let data = tempfile::tempdir().expect("a folder");
        let mut keys = DataKeys::open(data.path(), None).expect("no keys");
        assert!(keys.newest().is_none() && !data.path().join("keys").exists(), "opening makes nothing");
        for number in 1..=10 {
            keys.make_next().expect("a key");
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
    fn k03_a_configured_key_seals_and_can_be_kept_as_a_file_afterwards() {
        let data = tempfile::tempdir().expect("a folder");
        DataKeys::open(data.path(), None).expect("no keys").make_next().expect("a key");
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
    fn k03_a_key_that_others_can_read_or_that_is_cut_off_is_refused() {
        let data = tempfile::tempdir().expect("a folder");
        DataKeys::open(data.path(), None).expect("no keys").make_next().expect("a key");
        let file = data.path().join("keys/secrets/1.key");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("our file");
        let error = DataKeys::open(data.path(), None).expect_err("it is open to others").to_string();
        assert!(error.contains("chmod 600"), "{error}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("our file");
        fs::write(&file, [1; 31]).expect("our file");
        assert!(matches!(DataKeys::open(data.path(), None), Err(KeyError::Malformed(_))));
    }
}
