//! Everything that needs more than one part of the server.

mod http_files;
mod http_layers;
mod http_log;
mod http_program;
mod http_requests;
mod http_routes;
mod http_support;
mod http_wire;
