//! Re-authentication of a signed-in user.

use serde::{Deserialize, Serialize};

use super::IdentityProvider;

/// How the user can re-authenticate. A user with a second factor must use it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReauthMethods {
    /// Whether the user authenticated recently, so that no re-authentication is required.
    pub recently_authenticated: bool,
    /// Whether the user has a password. It is sufficient without a second factor.
    pub password: bool,
    /// Whether a code of the authenticator app or a recovery code is required, together with the password if there is
    /// one.
    pub code: bool,
    /// Whether the user has a passkey, which is sufficient.
    pub passkey: bool,
    /// The identity providers that can be used, if the user has no second factor.
    pub providers: Vec<IdentityProvider>,
}
