//! The browser's door: each function finds out who asks, calls one service and returns.
//!
//! A page asks once for all that it shows: on the server a second question after the first answer may come when the
//! framework has already given the request's context away, because it renders some pages twice.

pub mod account;
pub mod audit;
pub mod chats;
pub mod deletion;
pub mod export;
pub mod factors;
pub mod frame;
pub mod identities;
pub mod invitations;
pub mod jobs;
pub mod legal;
pub mod messages;
pub mod people;
pub mod recovery;
pub mod security;

#[cfg(feature = "ssr")]
mod door;
#[cfg(feature = "ssr")]
mod fields;

#[cfg(feature = "ssr")]
pub use fields::fields_of;
