//! The browser's door: each function finds out who asks, calls one service and returns.

pub mod account;
pub mod chats;
pub mod frame;
pub mod invitations;
pub mod messages;
pub mod models;
pub mod recovery;

#[cfg(feature = "ssr")]
mod door;
