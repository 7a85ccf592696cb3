//! The audit log: what was done with accounts, by whom and from where. Append-only.

mod address;
mod cursor;
mod device;
mod event;
mod request_meta;

pub use address::{ClientAddress, SharedAddress};
pub use cursor::{cursor_after, parse_cursor};
pub use device::{describe_device, describe_network};
pub use event::{AuditEvent, RefusedEvent, chat_count_detail};
pub use request_meta::RequestMeta;
