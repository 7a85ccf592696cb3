//! Which of the workers that share a data folder are alive.
//!
//! A worker that was killed leaves runs behind that look as if they were being executed until their lease ends. Where the
//! next process starts on the same data folder it need not wait: each process holds a locked file in `instances/`, and
//! the system drops the lock when the process ends, however it ends. Workers on other machines have their leases.

use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use uuid::Uuid;

/// The folder, within the data folder.
const FOLDER: &str = "instances";

/// This process among those that share its data folder.
pub(super) struct Instance {
    folder: PathBuf,
    /// Held open, and so locked, for as long as the process lives. `None` where the file system has no locks: then only
    /// leases say who is alive.
    _lock: Option<File>,
}

/// A worker that is dead, and the file that says so.
pub(super) struct DeadInstance {
    /// Its id, as the owner of leases.
    pub worker: Uuid,
    file: PathBuf,
    /// Held while it is looked after, so that one process alone does so.
    _lock: File,
}

impl Instance {
    /// Says that this process lives.
    pub fn new(data: &Path, worker: Uuid) -> Self {
        let folder = data.join(FOLDER);
        let lock = hold(&folder, worker)
            .inspect_err(|error| {
                tracing::warn!(%error, folder = %folder.display(), "this process cannot be marked as alive; leases alone say so");
            })
            .ok();
        Self { folder, _lock: lock }
    }

    /// Those that have ended since anybody looked.
    pub fn list_dead(&self) -> Vec<DeadInstance> {
        let Ok(files) = fs::read_dir(&self.folder) else { return Vec::new() };
        files.flatten().filter_map(|file| DeadInstance::new(file.path())).collect()
    }
}

fn hold(folder: &Path, worker: Uuid) -> std::io::Result<File> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Locked under another name first: nobody may see the file without its lock.
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
                tracing::debug!(%error, %worker, "it cannot be seen whether a worker lives");
                None
            }
        }
    }

    /// Forgets it, once nothing of it is left.
    pub fn forget(self) {
        if let Err(error) = fs::remove_file(&self.file) {
            tracing::warn!(%error, file = %self.file.display(), "the mark of a dead worker cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_dead_once_its_process_has_let_go() {
        let data = tempfile::tempdir().expect("a folder");
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = Instance::new(data.path(), one);
        let second = Instance::new(data.path(), two);
        assert!(first.list_dead().is_empty() && second.list_dead().is_empty());
        drop(first);
        let mut dead = second.list_dead();
        assert_eq!(dead.iter().map(|dead| dead.worker).collect::<Vec<_>>(), [one]);
        assert!(second.list_dead().is_empty(), "one looks after it");
        dead.pop().expect("the dead one").forget();
        assert!(second.list_dead().is_empty());
    }

    #[test]
    fn other_files_are_nobody() {
        let data = tempfile::tempdir().expect("a folder");
        let instance = Instance::new(data.path(), Uuid::from_u128(1));
        fs::write(data.path().join(FOLDER).join("notes.txt"), "").expect("a file");
        assert!(instance.list_dead().is_empty());
    }
}
