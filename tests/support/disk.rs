//! Disk faults for the program under test: a preloaded library makes its writes fail.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// Injects disk faults into a program. The preloaded library is `disk_faults.c`.
pub struct Disk {
    folder: TempDir,
    root: PathBuf,
}

/// A disk fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No space is left.
    Full,
    /// Writing and flushing fail.
    Io,
    /// Writing succeeds and flushing fails.
    Flush,
}

impl Disk {
    /// A disk without a fault, for all files below a folder.
    pub fn new(root: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/disk_faults.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(folder.path().join("disk_faults.so"))
            .args([source, "-ldl"])
            .status();
        assert!(built.expect("a C compiler is installed").success(), "{source}");
        let root = root.canonicalize().expect("a folder");
        Self { folder, root }
    }

    /// Makes a program use this disk.
    pub fn attach_to(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", self.folder.path().join("disk_faults.so"))
            .env("DISK_FAULTS_FOLDER", &self.root)
            .env("DISK_FAULTS_CONTROL", self.control());
    }

    fn control(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    /// Starts a fault.
    pub fn fail(&self, fault: Fault) {
        let command = match fault {
            Fault::Full => "full",
            Fault::Io => "io",
            Fault::Flush => "flush",
        };
        // Written to another file and renamed, so that the library never reads an empty file.
        let aside = self.folder.path().join("aside");
        fs::write(&aside, command).expect("a control file");
        fs::rename(aside, self.control()).expect("a control file");
    }

    /// Ends the fault.
    pub fn repair(&self) {
        fs::remove_file(self.control()).expect("a control file");
    }
}
