//! The tests of the whole program, one file per area.

mod accounts;
mod architecture;
mod audit;
mod bad_input;
mod chats;
mod crash;
mod databases;
mod deletion;
mod entrance;
mod export;
mod factors;
mod faults;
mod http_files;
mod http_layers;
mod http_log;
mod http_program;
mod http_requests;
mod http_routes;
mod http_support;
mod http_wire;
mod hydration;
mod invitations;
mod isolation;
mod legal;
mod limits;
mod log_canaries;
mod mail;
mod models;
mod oidc;
mod page_forms;
mod people;
mod pooler;
mod profile;
mod promises;
mod recovery;
mod retention;
mod runs;
mod secrets;
mod security;
mod sessions_cache;
mod unknown_words;

#[path = "../support/mod.rs"]
mod support;
