//! What the process of one model is told at its start.

use std::{path::PathBuf, thread};

use clap::Args;

/// Which model to run, and how.
#[derive(Debug, Clone, Args)]
pub struct WorkerArgs {
    /// The model's file, in the GGUF format
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// Threads to compute with; 0 for one less than there are cores
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: u32,
    /// The longest context in tokens
    #[arg(long, value_name = "N")]
    pub context: Option<u32>,
    /// Measure the library's own speed with a fixed prompt, print it as JSON, and end
    #[arg(long)]
    pub bench: bool,
}

impl WorkerArgs {
    /// The number of threads, as the library counts. One core is left to everything else: the library's threads wait
    /// for each other in a busy loop, so that one of them without a core of its own stops all. (With two threads on two
    /// cores that others used too, 3 to 6 tokens a second were measured in place of 65 with one.)
    pub(super) fn thread_count(&self) -> i32 {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let threads = if self.threads == 0 { cores() - 1 } else { self.threads as usize };
        i32::try_from(threads.max(1)).unwrap_or(1)
    }
}
