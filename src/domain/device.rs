//! The list of devices: a user's valid sign-ins.

use serde::{Deserialize, Serialize};

use super::{SignInId, Timestamp};

/// A valid sign-in of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The sign-in's id.
    pub id: SignInId,
    /// The browser and operating system, in words.
    pub device: String,
    /// The network: the first part of the IP address.
    pub network: String,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Timestamp,
    /// Whether it is the sign-in of this request.
    pub current: bool,
}
