//! The tests of the whole program, one file per area.

mod models;
#[path = "../support/mod.rs"]
mod support;
