//! Sign-ins as their owner sees them.

use serde::{Deserialize, Serialize};

use super::{SignInId, Timestamp};

/// One sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Which.
    pub id: SignInId,
    /// Browser and system, in words.
    pub device: String,
    /// From where: the beginning of the network address.
    pub place: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}
