//! When chats are deleted by themselves.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Days among which people choose.
pub const RETENTION_DAYS: [u32; 4] = [30, 90, 180, 365];

/// The rules by which a person's chats are deleted some days after their last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// The days that the person chose; `None` where they keep their chats.
    pub days: Option<u32>,
    /// When their choice begins to hold, if that is still to come.
    pub from: Option<Timestamp>,
    /// The days after which the installation deletes everybody's chats; `None` where it does not.
    pub everybodys: Option<u32>,
}
