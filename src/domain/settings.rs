//! The settings of the user's account.

use serde::{Deserialize, Serialize};

use super::{
    ActivityPage, DataExport, Device, Factors, Identity, IdentityProvider, Profile, ReauthMethods, Retention,
    TotpEnrolment,
};

/// The settings pages that have data of the account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingsPart {
    /// `/settings`: who the user is.
    #[default]
    Profile,
    /// `/settings/security`: how the user signs in, and what happened to the account.
    Security,
    /// `/settings/data`: what is stored, and for how long.
    Data,
}

/// The cursor of the first page of the whole activity; without a cursor there are only the newest entries.
pub const ALL_ACTIVITY: &str = "all";

/// The data of one settings page. What belongs to the other pages is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The user's re-authentication methods, and whether re-authentication is required before sensitive actions.
    pub proof: ReauthMethods,
    /// Whether the user's address is verified. On the profile page.
    pub address_verified: bool,
    /// Whether this installation sends mails.
    pub mails: bool,
    /// The user's second factors. On every page, because they may have to be added.
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
    /// The user's sessions, last used first. On the security page.
    pub devices: Vec<Device>,
    /// One page of the account's activity, newest first. On the security page.
    pub activity: ActivityPage,
    /// The user's profile. On the profile page.
    pub profile: Profile,
    /// The user's last data export, until it is removed. On the data page.
    pub export: Option<DataExport>,
    /// The user's retention rule for chats. On the data page.
    pub retention: Retention,
}
