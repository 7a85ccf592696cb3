//! All rate limits of this installation.

/// A rate limit: the maximum number of attempts within a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// The prefix of the counter's key.
    pub scope: &'static str,
    /// What is limited, for the audit log.
    pub label: &'static str,
    pub max_attempts: i64,
    pub window_seconds: i64,
}

const fn limit(scope: &'static str, label: &'static str, max_attempts: i64, window_seconds: i64) -> Limit {
    Limit { scope, label, max_attempts, window_seconds }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Wrong passwords from one IP address.
pub(super) const SIGN_IN_ADDRESS: Limit = limit("sign-in address", "signing in", 10, 3 * MINUTE);
/// Wrong passwords for one account. High, so that an attacker cannot lock the owner out.
pub(super) const SIGN_IN_ACCOUNT: Limit = limit("sign-in account", "signing in", 100, HOUR);
/// Wrong second factors from one IP address.
pub(super) const CODE_ADDRESS: Limit = limit("code address", "two-step verification", 10, 3 * MINUTE);
/// Wrong second factors for one account. Low, because the password was right.
pub(super) const CODE_ACCOUNT: Limit = limit("code account", "two-step verification", 10, 15 * MINUTE);
/// Passkey ceremonies without a sign-in from one IP address.
pub(super) const CEREMONY_ADDRESS: Limit = limit("ceremony address", "passkeys", 60, 3 * MINUTE);
/// New accounts from one IP address.
pub(super) const SIGN_UP_ADDRESS: Limit = limit("sign-up address", "creating accounts", 60, HOUR);
/// Requested mails from one IP address. Higher than for one account, because many users may share the address.
pub(super) const MAIL_ADDRESS: Limit = limit("mail address", "emails", 30, HOUR);
/// Mails of one kind to one email address, or for one account.
pub(super) const MAIL_ACCOUNT: Limit = limit("mail", "emails", 3, HOUR);
/// One-time links followed from one IP address. Tokens cannot be guessed; this protects the database from load.
pub(super) const LINK_ADDRESS: Limit = limit("link address", "links", 100, 15 * MINUTE);
/// Pages of one-time links opened from one IP address. Higher than for following them: mail scanners open every link.
pub(super) const LINK_CHECK_ADDRESS: Limit = limit("link check address", "links", 300, 15 * MINUTE);
/// Flows with identity providers started from one IP address.
pub(super) const PROVIDER_ADDRESS: Limit = limit("provider address", "connected accounts", 60, 10 * MINUTE);
/// Data exports requested by one user.
pub(super) const EXPORT_ACCOUNT: Limit = limit("export", "downloads", 3, DAY);
/// Audit events about one member's requests for something only administrators may do.
pub(super) const FORBIDDEN_ACCOUNT: Limit = limit("overstep", "", 20, HOUR);
/// Audit events about the same setup error of one identity provider.
pub(super) const SETUP_FAULT: Limit = limit("provider fault", "", 1, HOUR);
/// Multiplies the limits of an IP address that is shared by all clients behind a trusted proxy.
pub(super) const SHARED_ADDRESS_FACTOR: i64 = 100;
