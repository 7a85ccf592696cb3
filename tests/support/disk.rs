//! A disk that can be filled and broken: a library that is preloaded into the program refuses its writes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// The faults of a program's disk. `disk_faults.c` says how they are made.
pub struct Disk {
    folder: TempDir,
    below: PathBuf,
}

/// What the disk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It has no room.
    Full,
    /// It fails to write and to flush.
    Io,
    /// It takes what is written and fails to flush it.
    Flush,
}

impl Disk {
    /// A sound disk for all files below a folder.
    pub fn new(below: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/disk_faults.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(folder.path().join("disk_faults.so"))
            .args([source, "-ldl"])
            .status();
        assert!(built.expect("a C compiler is installed").success(), "{source}");
        let below = below.canonicalize().expect("a folder");
        Self { folder, below }
    }

    /// Lets a program use this disk.
    pub fn put_under(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", self.folder.path().join("disk_faults.so"))
            .env("DISK_FAULTS_FOLDER", &self.below)
            .env("DISK_FAULTS_CONTROL", self.control());
    }

    fn control(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    /// Breaks it.
    pub fn fail(&self, fault: Fault) {
        let word = match fault {
            Fault::Full => "full",
            Fault::Io => "io",
            Fault::Flush => "flush",
        };
        // Written aside first, so that it is never seen empty.
        let aside = self.folder.path().join("aside");
        fs::write(&aside, word).expect("a control file");
        fs::rename(aside, self.control()).expect("a control file");
    }

    /// Mends it.
    pub fn mend(&self) {
        fs::remove_file(self.control()).expect("a control file");
    }
}
