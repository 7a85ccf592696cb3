//! What several test binaries use.

use std::path::{Path, PathBuf};

pub mod app;
pub mod client;
pub mod disk;
pub mod program;
pub mod provider;
pub mod redis;
pub mod smtp;
pub mod upstream;
pub mod visitor;
pub mod wire;

/// A client of a test, which is no part of the program.
#[expect(clippy::disallowed_methods, reason = "tests are outside of the program, and come in")]
pub fn http_client() -> reqwest::ClientBuilder {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
}

/// The file of the small real model: `TEST_MODEL`, or the one that the set-up has put beside the build.
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
