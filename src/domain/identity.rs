//! Who people are elsewhere.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A place where people can sign in besides by password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// The short name; a form that begins a sign-in is sent to `/auth/{name}/start`.
    pub name: String,
    /// What people call it.
    pub label: String,
}

/// Who a person is at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What people call the provider; its issuer where the installation does not know it any more.
    pub label: String,
    /// Who vouches.
    pub issuer: String,
    /// For whom, in the issuer's own terms.
    pub subject: String,
    /// The address that the provider gave when it was linked.
    pub email: String,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When somebody last came in by it.
    pub last_used_at: Timestamp,
}
