//! The browser's door: each function finds out who asks, calls one service and returns.

pub mod account;
pub mod chats;
pub mod frame;
pub mod identities;
pub mod messages;
pub mod models;

#[cfg(feature = "ssr")]
mod door;
