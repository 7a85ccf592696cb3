//! The audit: what was done with accounts, by whom and from where. Entries are only added.

mod address;
mod cursor;
mod device;
mod event;
mod request_meta;

pub use address::{ClientAddress, HiddenAddress};
pub use cursor::{cursor_after, parse_cursor};
pub use device::{device, network};
pub use event::{AuditEvent, Refusal, chat_count};
pub use request_meta::RequestMeta;
