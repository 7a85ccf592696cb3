//! Types that the server and the browser share. No I/O, no framework.

mod account;
mod chat;
mod error;
mod identity;
mod ids;
mod message;
mod model;
mod path;
mod time;

pub mod limits;

pub use account::*;
pub use chat::*;
pub use error::*;
pub use identity::*;
pub use ids::*;
pub use message::*;
pub use model::*;
pub use path::*;
pub use time::*;
