//! The settings of the user's account.

use serde::{Deserialize, Serialize};

use super::{
    ActivityPage, DataExport, Device, Factors, Identity, IdentityProvider, Profile, ReauthMethods, Retention,
    TotpEnrolment,
};

/// The data of the settings page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The user's re-authentication methods, and whether re-authentication is required before sensitive actions.
    pub proof: ReauthMethods,
    /// Whether the user's address is verified.
    pub address_verified: bool,
    /// Whether this installation sends mails.
    pub mails: bool,
    /// The user's second factors.
    pub factors: Factors,
    /// The pending enrolment of an authenticator app. Only for a recently authenticated user.
    pub enrolment: Option<TotpEnrolment>,
    /// New recovery codes, until the user has saved them.
    pub codes: Vec<String>,
    /// Whether passkeys can be used at this installation's URL.
    pub can_use_passkeys: bool,
    /// The user's linked identities.
    pub identities: Vec<Identity>,
    /// The identity providers for signing in.
    pub providers: Vec<IdentityProvider>,
    /// The user's sessions, last used first.
    pub devices: Vec<Device>,
    /// One page of the account's activity, newest first.
    pub activity: ActivityPage,
    /// The user's profile.
    pub profile: Profile,
    /// The user's last data export, until it is removed.
    pub export: Option<DataExport>,
    /// The user's retention rule for chats.
    pub retention: Retention,
}
