//! Writes the ZIP file on a blocking thread.

use std::{
    fs::{File, OpenOptions, remove_file},
    io::{Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use tokio::{sync::mpsc, task::JoinHandle};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::server::fault::Fault;

/// Capacity of the queue to the thread. The sender waits if the disk is slower than the database.
const QUEUE_CAPACITY: usize = 8;

enum Command {
    /// Start the next file.
    StartFile(String),
    /// Append data to the current file.
    Append(Vec<u8>),
}

/// A ZIP file in progress.
pub(super) struct Archive {
    commands: mpsc::Sender<Command>,
    written: JoinHandle<Result<File, Fault>>,
}

impl Archive {
    /// Creates the file and unlinks it immediately, so that a killed process leaves nothing behind.
    pub fn create(path: PathBuf) -> Self {
        let (commands, queue) = mpsc::channel(QUEUE_CAPACITY);
        Self { commands, written: tokio::task::spawn_blocking(move || write(path, queue)) }
    }

    /// Starts the next file in the archive.
    pub async fn start_file(&mut self, name: impl Into<String>) -> Result<(), Fault> {
        self.send(Command::StartFile(name.into())).await
    }

    /// Appends data to the current file.
    pub async fn append(&mut self, bytes: impl Into<Vec<u8>>) -> Result<(), Fault> {
        self.send(Command::Append(bytes.into())).await
    }

    async fn send(&mut self, command: Command) -> Result<(), Fault> {
        // The thread has stopped only if it failed; `finish` returns its error.
        self.commands.send(command).await.map_err(|_| Fault::internal("cannot write the file of a data export"))
    }

    /// Finishes the archive; returns the file, rewound to its start.
    pub async fn finish(self) -> Result<File, Fault> {
        drop(self.commands);
        self.written.await?
    }
}

fn write(path: PathBuf, mut queue: mpsc::Receiver<Command>) -> Result<File, Fault> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
    let file = file.map_err(Fault::internal)?;
    remove_file(&path).map_err(Fault::internal)?;
    let mut zip = ZipWriter::new(file);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(true);
    while let Some(command) = queue.blocking_recv() {
        match command {
            Command::StartFile(name) => zip.start_file(name, options).map_err(Fault::internal)?,
            Command::Append(bytes) => zip.write_all(&bytes).map_err(Fault::internal)?,
        }
    }
    let mut file = zip.finish().map_err(Fault::internal)?;
    file.rewind().map_err(Fault::internal)?;
    Ok(file)
}
