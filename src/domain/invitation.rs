//! Invitations: links by which people make accounts where sign-up is closed.

use serde::{Deserialize, Serialize};

use super::{InvitationId, Role, Timestamp};

/// An invitation that can be used, as administrators see it. Its link is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Which.
    pub id: InvitationId,
    /// The only address that it is for; `None` for whoever has the link.
    pub email: Option<String>,
    /// What the invited become.
    pub role: Role,
    /// How many people can still use it.
    pub uses_left: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is dead.
    pub expires_at: Timestamp,
}

/// What an invitation says to whoever holds its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Invited {
    /// It can be used.
    Holds {
        /// The only address that it is for.
        email: Option<String>,
        /// What the invited become.
        role: Role,
        /// Until when, in words.
        until: String,
    },
    /// It was used, revoked, or is too old; or it never was one.
    Dead,
}

/// An invitation that was just made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewInvitation {
    /// Which.
    pub id: InvitationId,
    /// The link, which nobody can look up later.
    pub link: String,
    /// Whether it was also sent by mail.
    pub mailed: bool,
}
