//! Types that the server and the browser share. No I/O, no framework.

mod account;
mod chat;
mod error;
mod ids;
mod invitation;
mod message;
mod model;
mod time;

pub mod limits;

pub use account::*;
pub use chat::*;
pub use error::*;
pub use ids::*;
pub use invitation::*;
pub use message::*;
pub use model::*;
pub use time::*;
