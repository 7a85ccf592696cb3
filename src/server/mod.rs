//! The server. Who may import whom is in the architecture text of the crate; `tests/app/architecture.rs` holds it.

pub mod allocator;
pub mod audit;
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
pub mod limits;
pub mod llm;
pub mod mail;
pub mod markdown;
pub mod people;
pub mod privacy;
pub mod profile;
pub mod secrets;
pub mod state;
pub mod store;
pub mod supervisor;
pub mod telemetry;
