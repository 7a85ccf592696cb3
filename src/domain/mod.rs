//! Types that the server and the browser share. No I/O, no framework.

mod account;
mod audit;
mod calendar;
mod chat;
mod device;
mod error;
mod export;
mod factor;
mod identity;
mod ids;
mod invisible;
mod invitation;
mod job;
mod legal;
mod message;
mod model;
#[cfg(feature = "ssr")]
mod name;
mod path;
mod person;
mod profile;
mod proof;
mod retention;
mod time;
mod typed;

pub mod limits;

pub use account::*;
pub use audit::*;
pub use calendar::*;
pub use chat::*;
pub use device::*;
pub use error::*;
pub use export::*;
pub use factor::*;
pub use identity::*;
pub use ids::*;
pub use invisible::*;
pub use invitation::*;
pub use job::*;
pub use legal::*;
pub use message::*;
pub use model::*;
pub use path::*;
pub use person::*;
pub use profile::*;
pub use proof::*;
pub use retention::*;
pub use time::*;
pub use typed::*;
