//! Detects which of the workers that share a data folder are alive.
//!
//! The runs of a killed worker look as if they were being executed until their leases expire. The next process on the
//! same data folder need not wait for that: each process holds a locked file in `instances/`, and the operating system
//! releases the lock when the process exits for any reason. For workers on other machines only the leases count.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use uuid::Uuid;

/// The folder name, within the data folder.
const LOCK_FOLDER: &str = "instances";

/// The lock file of this process.
pub(super) struct Instance {
    folder: PathBuf,
    /// Held open, and so locked, for the lifetime of the process. `None` if the file system does not support locks;
    /// then only leases show who is alive.
    _lock: Option<File>,
}

/// A dead worker and its lock file.
pub(super) struct DeadInstance {
    /// The worker's id, as the owner of leases.
    pub worker: Uuid,
    file: PathBuf,
    /// Held during cleanup, so that only one process cleans up.
    _lock: File,
}

impl Instance {
    /// Marks this process as alive.
    pub fn new(data: &Path, worker: Uuid) -> Self {
        let folder = data.join(LOCK_FOLDER);
        let lock = create_lock_file(&folder, worker)
            .inspect_err(|error| {
                tracing::warn!(%error, folder = %folder.display(), "cannot create the lock file of this process; only leases show that it is alive");
            })
            .ok();
        Self { folder, _lock: lock }
    }

    /// The workers that have exited and are not cleaned up yet.
    pub fn list_dead(&self) -> Vec<DeadInstance> {
        let Ok(files) = fs::read_dir(&self.folder) else { return Vec::new() };
        files.flatten().filter_map(|file| DeadInstance::new(file.path())).collect()
    }
}

fn create_lock_file(folder: &Path, worker: Uuid) -> std::io::Result<File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Locked under a hidden name first, so that no process sees the file without its lock.
    let hidden = folder.join(format!(".{worker}"));
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&hidden)?;
    file.try_lock()?;
    fs::rename(&hidden, folder.join(worker.to_string()))?;
    Ok(file)
}

impl DeadInstance {
    fn new(file: PathBuf) -> Option<Self> {
        let worker = file.file_name()?.to_str()?.parse().ok()?;
        let open = File::open(&file).ok()?;
        match open.try_lock() {
            Ok(()) => Some(Self { worker, file, _lock: open }),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => {
                tracing::debug!(%error, %worker, "cannot determine whether a worker is alive");
                None
            }
        }
    }

    /// Removes the lock file, after cleanup.
    pub fn remove_lock_file(self) {
        if let Err(error) = fs::remove_file(&self.file) {
            tracing::warn!(%error, file = %self.file.display(), "cannot remove the lock file of a dead worker");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_dead_once_its_lock_is_released() {
        let data = tempfile::tempdir().expect("a folder");
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = Instance::new(data.path(), one);
        let second = Instance::new(data.path(), two);
        assert!(first.list_dead().is_empty() && second.list_dead().is_empty());
        drop(first);
        let mut dead = second.list_dead();
        assert_eq!(dead.iter().map(|dead| dead.worker).collect::<Vec<_>>(), [one]);
        assert!(second.list_dead().is_empty(), "one looks after it");
        dead.pop().expect("the dead one").remove_lock_file();
        assert!(second.list_dead().is_empty());
    }

    #[test]
    fn other_files_are_ignored() {
        let data = tempfile::tempdir().expect("a folder");
        let instance = Instance::new(data.path(), Uuid::from_u128(1));
        fs::write(data.path().join(LOCK_FOLDER).join("notes.txt"), "").expect("a file");
        assert!(instance.list_dead().is_empty());
    }
}
