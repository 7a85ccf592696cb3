//! The ZIP file, written on a thread that may wait for the disk.

use std::{
    fs::{File, OpenOptions, remove_file},
    io::{Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use tokio::{sync::mpsc, task::JoinHandle};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::server::fault::Fault;

/// Parts on their way to the thread; whoever reads the database waits where the disk is slower.
const QUEUED: usize = 8;

enum Part {
    /// A file begins.
    Begin(String),
    /// More of it.
    More(Vec<u8>),
}

/// A ZIP file that is being written.
pub(super) struct Archive {
    parts: mpsc::Sender<Part>,
    written: JoinHandle<Result<File, Fault>>,
}

impl Archive {
    /// Begins a file that has no name any more when this returns, so that nothing of it is left by whoever is killed.
    pub fn begin(path: PathBuf) -> Self {
        let (parts, queue) = mpsc::channel(QUEUED);
        Self { parts, written: tokio::task::spawn_blocking(move || write(path, queue)) }
    }

    /// Begins the next file in it.
    pub async fn file(&mut self, name: impl Into<String>) -> Result<(), Fault> {
        self.send(Part::Begin(name.into())).await
    }

    /// Writes more of the file that was begun.
    pub async fn more(&mut self, bytes: impl Into<Vec<u8>>) -> Result<(), Fault> {
        self.send(Part::More(bytes.into())).await
    }

    async fn send(&mut self, part: Part) -> Result<(), Fault> {
        // The thread has ended only where it failed; `finish` says how.
        self.parts.send(part).await.map_err(|_| Fault::internal("the file of a download cannot be written"))
    }

    /// Ends it; gives the file from its beginning.
    pub async fn finish(self) -> Result<File, Fault> {
        drop(self.parts);
        self.written.await?
    }
}

fn write(path: PathBuf, mut queue: mpsc::Receiver<Part>) -> Result<File, Fault> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
    let file = file.map_err(Fault::internal)?;
    remove_file(&path).map_err(Fault::internal)?;
    let mut zip = ZipWriter::new(file);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(true);
    while let Some(part) = queue.blocking_recv() {
        match part {
            Part::Begin(name) => zip.start_file(name, options).map_err(Fault::internal)?,
            Part::More(bytes) => zip.write_all(&bytes).map_err(Fault::internal)?,
        }
    }
    let mut file = zip.finish().map_err(Fault::internal)?;
    file.rewind().map_err(Fault::internal)?;
    Ok(file)
}
