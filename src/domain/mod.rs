//! Types that the server and the browser share. No I/O, no framework.

mod account;
mod audit;
mod chat;
mod device;
mod error;
mod factor;
mod identity;
mod ids;
mod invitation;
mod language;
mod message;
mod model;
mod path;
mod time;

pub mod limits;

pub use account::*;
pub use audit::*;
pub use chat::*;
pub use device::*;
pub use error::*;
pub use factor::*;
pub use identity::*;
pub use ids::*;
pub use invitation::*;
pub use language::*;
pub use message::*;
pub use model::*;
pub use path::*;
pub use time::*;
