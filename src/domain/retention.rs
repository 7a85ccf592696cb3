//! Automatic deletion of old chats.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The retention periods that users can choose, in days.
pub const RETENTION_DAYS: [u32; 4] = [30, 90, 180, 365];

/// The rules that delete a user's chats some days after their last message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// The retention period that the user chose, in days; `None` to keep chats.
    pub days: Option<u32>,
    /// When the user's rule takes effect, if that is in the future.
    pub from: Option<Timestamp>,
    /// The retention period of the installation for all users, in days; `None` if there is none.
    pub installation_rule: Option<u32>,
}
