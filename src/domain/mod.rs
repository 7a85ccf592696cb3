//! Types that the server and the browser share. They do no I/O.

mod account;
mod audit;
mod auth_page;
mod calendar;
mod chat;
mod device;
mod error;
mod export;
mod factor;
mod form_values;
mod frame;
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
mod reauth;
mod retention;
mod settings;
mod time;

pub mod limits;

pub use account::*;
pub use audit::*;
pub use auth_page::*;
pub use calendar::*;
pub use chat::*;
pub use device::*;
pub use error::*;
pub use export::*;
pub use factor::*;
pub use form_values::*;
pub use frame::*;
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
pub use reauth::*;
pub use retention::*;
pub use settings::*;
pub use time::*;
