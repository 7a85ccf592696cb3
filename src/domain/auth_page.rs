//! The sign-in and sign-up pages.

use serde::{Deserialize, Serialize};

use super::{CurrentUser, IdentityProvider, InvitationStatus, SignUpPolicy};

/// The data of the sign-in and sign-up pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthPageData {
    /// The user who is already signed in.
    pub user: Option<CurrentUser>,
    /// Who can sign up.
    pub policy: SignUpPolicy,
    /// The identity providers for signing in.
    pub providers: Vec<IdentityProvider>,
    /// The identity providers for signing up, as far as the policy allows it.
    pub sign_up_providers: Vec<IdentityProvider>,
    /// Whether passkeys work at the host name of this request.
    pub passkeys: bool,
    /// Whether mails are sent.
    pub mails: bool,
    /// The content of the invitation in the link, if any.
    pub invited: Option<InvitationStatus>,
}
