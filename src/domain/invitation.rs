//! Invitations: links for creating an account even if sign-up is closed.

use serde::{Deserialize, Serialize};

use super::{InvitationId, Role, Timestamp};

/// A valid invitation, for administrators. It does not contain the link, which is only shown when it is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The invitation's id.
    pub id: InvitationId,
    /// The only e-mail address that can use it; `None` for any address.
    pub email: Option<String>,
    /// The role of invited users.
    pub role: Role,
    /// How often it can still be used.
    pub uses_left: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// The status of an invitation, for the visitor who opens its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum InvitationStatus {
    /// It can be used.
    Valid {
        /// The only e-mail address that can use it; `None` for any address.
        email: Option<String>,
        /// The role of the invited user.
        role: Role,
        /// When it expires, formatted.
        until: String,
    },
    /// It was used, was revoked, has expired, or never existed.
    Invalid,
}

/// An invitation that was just created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewInvitation {
    /// The invitation's id.
    pub id: InvitationId,
    /// The link, which cannot be retrieved later.
    pub link: String,
    /// Whether it was also sent by mail.
    pub mailed: bool,
}
