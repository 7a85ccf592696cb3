//! The tests of the whole program, one file per area.

mod accounts;
mod architecture;
mod chats;
mod crash;
mod factors;
mod http_files;
mod http_layers;
mod http_log;
mod http_program;
mod http_requests;
mod http_routes;
mod http_support;
mod http_wire;
mod invitations;
mod isolation;
mod mail;
mod models;
mod oidc;
mod profile;
mod recovery;
mod runs;
mod secrets;
mod security;
#[path = "../support/mod.rs"]
mod support;
