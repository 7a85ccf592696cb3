//! Identity providers and the identities of users at them.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A configured OpenID Connect provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// The short name. The form that begins a sign-in is sent to `/auth/{name}/start`.
    pub name: String,
    /// The display name.
    pub label: String,
}

/// A linked identity of the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The display name of the provider, or its issuer if the provider is no longer configured.
    pub label: String,
    /// The issuer of the identity provider.
    pub issuer: String,
    /// The user's id at the issuer (the `sub` claim).
    pub subject: String,
    /// The e-mail address that the provider reported when the identity was linked.
    pub email: String,
    /// When it was linked.
    pub created_at: Timestamp,
    /// When it was last used to sign in.
    pub last_used_at: Timestamp,
}
