//! Every limit of this installation, in one place.

/// How many tries there may be in how many seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// What the keys of the counts begin with.
    pub scope: &'static str,
    /// What there are too many of, as the audit says it.
    pub what: &'static str,
    pub tries: i64,
    pub seconds: i64,
}

const fn limit(scope: &'static str, what: &'static str, tries: i64, seconds: i64) -> Limit {
    Limit { scope, what, tries, seconds }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Wrong passwords from one address.
pub(super) const SIGN_IN_ADDRESS: Limit = limit("sign-in address", "signing in", 10, 3 * MINUTE);
/// Wrong passwords for one account. High, because nobody shall be able to lock somebody else out.
pub(super) const SIGN_IN_ACCOUNT: Limit = limit("sign-in account", "signing in", 100, HOUR);
/// Wrong second factors from one address.
pub(super) const CODE_ADDRESS: Limit = limit("code address", "second factors", 10, 3 * MINUTE);
/// Wrong second factors for one account. Low, because whoever gets there has the password.
pub(super) const CODE_ACCOUNT: Limit = limit("code account", "second factors", 10, 15 * MINUTE);
/// Passkey ceremonies that strangers begin from one address.
pub(super) const CEREMONY_ADDRESS: Limit = limit("ceremony address", "passkeys", 60, 3 * MINUTE);
/// New accounts from one address.
pub(super) const SIGN_UP_ADDRESS: Limit = limit("sign-up address", "making accounts", 60, HOUR);
/// Mails that are asked for from one address. Higher than for one account, because many people may share it.
pub(super) const MAIL_ADDRESS: Limit = limit("mail address", "mails", 30, HOUR);
/// Mails of one kind to one address, or for one account.
pub(super) const MAIL_ACCOUNT: Limit = limit("mail", "mails", 3, HOUR);
/// One-time links that one address follows. Nobody guesses a token; this spares the database.
pub(super) const LINK_ADDRESS: Limit = limit("link address", "links", 100, 15 * MINUTE);
/// Sign-ins by an identity provider that one address begins.
pub(super) const PROVIDER_ADDRESS: Limit = limit("provider address", "other ways in", 60, 10 * MINUTE);
/// Downloads of their data that one person asks for.
pub(super) const EXPORT_ACCOUNT: Limit = limit("export", "downloads", 3, DAY);
/// Audit entries about one member who tries what only administrators may do.
pub(super) const FORBIDDEN_ACCOUNT: Limit = limit("overstep", "", 20, HOUR);
/// Audit entries about the same fault in the set-up of one identity provider.
pub(super) const SETUP_FAULT: Limit = limit("provider fault", "", 1, HOUR);
/// How many times the limit of one address holds for all machines that a trusted proxy does not tell apart.
pub(super) const HIDDEN_FACTOR: i64 = 100;
