//! What notices say was done.

use crate::i18n::Texts;

/// What was done with an account, as a mail tells its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// Somebody signed in, with a browser or from a network that was not used before.
    NewDevice,
    /// The owner has changed the password.
    PasswordChanged,
    /// Somebody has followed a link for a new password.
    PasswordReset,
    /// This address is to be the account's.
    AddressAsked(&'a str),
    /// This address is the account's now.
    AddressChanged(&'a str),
    /// There is a second factor of this name.
    FactorAdded(&'a str),
    /// The second factor of this name is gone.
    FactorRemoved(&'a str),
    /// There are new recovery codes.
    NewRecoveryCodes,
    /// One can sign in by this provider.
    ProviderLinked(&'a str),
    /// One cannot sign in by this provider any more.
    ProviderUnlinked(&'a str),
    /// The owner has not lost the second factors.
    FactorRemovalRefused,
    /// An administrator does not remove the second factors after all.
    FactorRemovalWithdrawn,
    /// The second factors were removed.
    LostFactorsRemoved,
    /// The account is not deleted after all.
    DeletionUndone,
    /// The owner is no administrator any more.
    MadeMember,
    /// The owner is an administrator.
    MadeAdministrator,
    /// Nobody can sign in to the account.
    Disabled,
    /// Its owner can sign in again.
    Enabled,
    /// All sign-ins were ended.
    SignedOut,
}

impl Notice<'_> {
    /// One sentence, or two.
    pub fn sentence(self, texts: &Texts) -> String {
        match self {
            Self::NewDevice => t!(in texts, "mail.notice.new_device").into(),
            Self::PasswordChanged => t!(in texts, "mail.notice.password_changed").into(),
            Self::PasswordReset => t!(in texts, "mail.notice.password_reset").into(),
            Self::AddressAsked(address) => t!(in texts, "mail.notice.address_asked", address = address),
            Self::AddressChanged(address) => t!(in texts, "mail.notice.address_changed", address = address),
            Self::FactorAdded(name) => t!(in texts, "mail.notice.factor_added", name = name),
            Self::FactorRemoved(name) => t!(in texts, "mail.notice.factor_removed", name = name),
            Self::NewRecoveryCodes => t!(in texts, "mail.notice.new_recovery_codes").into(),
            Self::ProviderLinked(provider) => t!(in texts, "mail.notice.provider_linked", provider = provider),
            Self::ProviderUnlinked(provider) => t!(in texts, "mail.notice.provider_unlinked", provider = provider),
            Self::FactorRemovalRefused => t!(in texts, "mail.notice.factor_removal_refused").into(),
            Self::FactorRemovalWithdrawn => t!(in texts, "mail.notice.factor_removal_withdrawn").into(),
            Self::LostFactorsRemoved => t!(in texts, "mail.notice.lost_factors_removed").into(),
            Self::DeletionUndone => t!(in texts, "mail.notice.deletion_undone").into(),
            Self::MadeMember => t!(in texts, "mail.notice.made_member").into(),
            Self::MadeAdministrator => t!(in texts, "mail.notice.made_administrator").into(),
            Self::Disabled => t!(in texts, "mail.notice.disabled").into(),
            Self::Enabled => t!(in texts, "mail.notice.enabled").into(),
            Self::SignedOut => t!(in texts, "mail.notice.signed_out").into(),
        }
    }
}
