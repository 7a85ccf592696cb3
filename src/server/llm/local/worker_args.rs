//! The command line arguments of a model's worker process.

use std::{path::PathBuf, thread};

use clap::Args;

/// Arguments of `colloquy model-worker`.
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
    /// The number of threads for llama.cpp. Leaves one core free: the library's threads busy-wait for each other, so
    /// that one thread without its own core stalls all of them. (With two threads on two shared cores, 3 to 6 tokens a
    /// second were measured instead of 65 with one.)
    pub(super) fn thread_count(&self) -> i32 {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let threads = if self.threads == 0 { cores() - 1 } else { self.threads as usize };
        i32::try_from(threads.max(1)).unwrap_or(1)
    }
}
