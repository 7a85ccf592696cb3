//! The tests of the whole program, one file per area.

mod accounts;
mod chats;
mod isolation;
mod models;
mod runs;
#[path = "../support/mod.rs"]
mod support;
