//! The sentences of account notices.

use crate::i18n::Texts;

/// A change to an account that is reported to its owner by mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// A sign-in from a new browser or network.
    NewDevice,
    /// The owner changed the password.
    PasswordChanged,
    /// The password was reset with a link.
    PasswordReset,
    /// A change to this address was requested.
    AddressAsked(&'a str),
    /// The address was changed to this one.
    AddressChanged(&'a str),
    /// A second factor with this name was added.
    FactorAdded(&'a str),
    /// The second factor with this name was removed.
    FactorRemoved(&'a str),
    /// New recovery codes were created.
    NewRecoveryCodes,
    /// An identity at this provider was linked.
    ProviderLinked(&'a str),
    /// The identity at this provider was unlinked.
    ProviderUnlinked(&'a str),
    /// The owner refused the removal of their second factors.
    FactorRemovalRefused,
    /// An administrator cancelled the removal of the second factors.
    FactorRemovalWithdrawn,
    /// The second factors were removed because they were lost.
    LostFactorsRemoved,
    /// The deletion of the account was cancelled.
    DeletionUndone,
    /// The owner is no longer an administrator.
    MadeMember,
    /// The owner became an administrator.
    MadeAdministrator,
    /// The account was disabled.
    Disabled,
    /// The account was enabled.
    Enabled,
    /// All sessions were ended.
    SignedOut,
}

impl Notice<'_> {
    /// Returns the notice as one or two sentences.
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
