//! What several test binaries use.

pub mod app;
pub mod client;
pub mod upstream;
