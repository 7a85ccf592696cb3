//! The server. Who may import whom is in the architecture text of the crate; `tests/architecture.rs` holds it.

pub mod allocator;
pub mod auth;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod cookies;
pub mod fault;
pub mod http;
pub mod jobs;
pub mod keys;
pub mod legal;
pub mod llm;
pub mod mail;
pub mod secrets;
pub mod state;
pub mod store;
pub mod supervisor;
pub mod telemetry;
