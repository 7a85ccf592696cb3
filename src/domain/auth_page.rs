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
    /// The mail that this browser has requested last, for an hour.
    pub inbox: Option<RequestedMail>,
    /// Whether a passkey was used in this browser.
    pub passkey_used: bool,
}

/// What the page of a mailed link shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedLink {
    /// Whether the link works: whether it is neither used nor expired.
    pub works: bool,
    /// The address to which this browser has requested a mail last, whether or not an account has it.
    pub requested_for: Option<String>,
}

/// A mail with a link that was requested for an address, whether or not an account has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedMail {
    /// Why it was requested.
    pub purpose: MailPurpose,
    /// The address as entered.
    pub email: String,
}

/// Why a mail with a link was requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailPurpose {
    /// Someone signed up, and must confirm the address.
    SignUp,
    /// Someone needs another link to confirm the address.
    Confirmation,
    /// Someone has forgotten the password.
    Reset,
}

impl MailPurpose {
    /// The name in forms and in the cookie.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::Confirmation => "confirmation",
            Self::Reset => "reset",
        }
    }
}

/// The pages to which links for one account lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPage {
    /// `/verify-address`
    VerifyAddress,
    /// `/confirm-address`
    ConfirmAddress,
    /// `/reset-password`
    ResetPassword,
}
