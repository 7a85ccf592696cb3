//! Helpers of the tests; some are also used by the benchmarks.

use std::path::{Path, PathBuf};

pub mod app;
pub mod client;
pub mod disk;
pub mod outline;
pub mod program;
pub mod provider;
pub mod redis;
pub mod replay;
pub mod smtp;
pub mod tcp_proxy;
pub mod upstream;
pub mod visitor;
pub mod wait;

/// The HTTP client of a test, outside the program and its rules for outgoing requests.
#[expect(clippy::disallowed_methods, reason = "the tests are not part of the program; they send requests to it")]
pub fn http_client() -> reqwest::ClientBuilder {
    // The only error is that a provider is already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

/// The file of the small real model: `TEST_MODEL`, or the file that the set-up script put into the build folder.
pub fn model_file() -> PathBuf {
    const NAME: &str = "models/SmolLM2-135M-Instruct.Q4_1.gguf";
    let program = Path::new(env!("CARGO_BIN_EXE_colloquy"));
    let beside_build = || program.ancestors().skip(1).map(|folder| folder.join(NAME)).find(|file| file.is_file());
    let file = std::env::var_os("TEST_MODEL").map(PathBuf::from).or_else(beside_build);
    file.filter(|file| file.is_file()).expect(
        "The model for the tests is missing. Run the set-up, which puts it into the build's folder under \
         models/SmolLM2-135M-Instruct.Q4_1.gguf, or name the file in TEST_MODEL.",
    )
}
