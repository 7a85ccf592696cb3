//! Proving again who one is.

use serde::{Deserialize, Serialize};

use super::IdentityProvider;

/// How somebody who is signed in can prove again who they are. Whoever has a second factor must show it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// They did a short while ago, so that they need not.
    pub fresh: bool,
    /// They have a password. Without a second factor it is enough.
    pub password: bool,
    /// They have a second factor: a code of the app or a recovery code is needed, with the password where there is one.
    pub code: bool,
    /// They have a passkey, which is enough.
    pub passkey: bool,
    /// Providers that can vouch for them, where there is no second factor.
    pub providers: Vec<IdentityProvider>,
}
