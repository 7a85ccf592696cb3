//! Why a provider's part did not work: what the person is told, and what the log and administrators are told.

use crate::{domain::AppError, i18n::Reason};

/// Why a provider's part did not work. The texts are for the log; [`ProviderError::told`] has those for the person.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    /// It does not answer now. Later it may.
    #[error("{0}")]
    Unavailable(String),
    /// It and this installation do not fit together until somebody changes a setting.
    #[error(transparent)]
    Setup(#[from] Setup),
    /// It says that the person's address is not confirmed.
    #[error("the claim `email_verified` is false")]
    Unconfirmed,
    /// The address is none that can be used here.
    #[error("the claim `email` is not an address that can be used here")]
    Address,
    /// It does not vouch for anybody: forged, too late, or used before.
    #[error("{0}")]
    Refused(String),
}

/// A setting, here or at the provider, that keeps everybody out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Setup {
    /// What answers at the issuer's address does not describe a provider.
    #[error("the discovery document cannot be used: {0}")]
    Discovery(String),
    /// It has another name for itself than the configuration.
    #[error(
        "the provider calls itself {given:?}, but `issuer` is configured as {configured:?}; they must be equal to the letter"
    )]
    Issuer {
        /// What it says.
        given: String,
        /// What the configuration says.
        configured: String,
    },
    /// Its token names another issuer than it does itself.
    #[error(
        "the ID token is from {given:?}, but `issuer` is configured as {configured:?}; they must be equal to the letter"
    )]
    TokenIssuer {
        /// What the token says.
        given: String,
        /// What the configuration says.
        configured: String,
    },
    /// An address that it names could be read along.
    #[error("the provider names an address that is not https: {0}")]
    Insecure(&'static str),
    /// An address that it names leads into a network that nobody allowed.
    #[error("the provider names an address that may not be asked: {0}")]
    Network(String),
    /// Nothing it sends could be checked.
    #[error("the key set holds no key that can be used (RSA, EC P-256 or P-384, or Ed25519, for signatures)")]
    NoKeys,
    /// It signs with a key that it does not list.
    #[error("the ID token is signed by a key that the key set does not hold")]
    UnknownKey,
    /// It signs in a way that is not accepted.
    #[error("the ID token is signed with {0}; set RS256, ES256 or EdDSA at the provider")]
    Algorithm(String),
    /// It encrypts.
    #[error("the token is encrypted; switch the encryption of ID tokens and userinfo off at the provider")]
    Encrypted,
    /// It does not take the code for another reason than the code.
    #[error(
        "the token endpoint refuses this installation ({0}); compare `client_id`, `client_secret` and the redirect address"
    )]
    Client(String),
    /// It refused what it was asked when the person got there.
    #[error("the provider refused the request: {0}")]
    Request(&'static str),
    /// The answer to the code is none.
    #[error("the token endpoint's answer cannot be used: {0}")]
    Token(&'static str),
    /// The token is for others.
    #[error("the ID token is not for this installation: with several audiences (`aud`), `azp` must be `client_id`")]
    Audience,
    /// The two do not agree on the time.
    #[error("the ID token's {claim} is {seconds} seconds off; compare the clocks")]
    Clock {
        /// The claim.
        claim: &'static str,
        /// How far from now it is.
        seconds: i64,
    },
    /// Who somebody is cannot be kept.
    #[error("the claim `sub` is not a text of 1 to 255 ASCII characters")]
    Subject,
    /// The userinfo endpoint is of no use.
    #[error("the userinfo endpoint cannot be used: {0}")]
    Userinfo(String),
    /// Nothing says what the address is.
    #[error(
        "neither the ID token nor the userinfo endpoint holds the claim `email`; allow the scope `email` at the provider"
    )]
    NoAddress,
    /// Nothing says whether the address is confirmed.
    #[error("the claim `email_verified` is {0}; it must be true, in the same answer as `email`")]
    Unstated(String),
    /// Nothing says when the person signed in there.
    #[error("the claim `auth_time` is missing, though `max_age` was asked for")]
    NoAuthTime,
}

/// What is wrong with a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    /// The key that signed it is not known, or not yet.
    #[error("the ID token is signed by a key that the provider does not list")]
    UnknownKey,
    /// The token itself.
    #[error("the ID token is not valid: {0}")]
    Invalid(&'static str),
    /// Whoever made it is set up otherwise than we expect.
    #[error(transparent)]
    Setup(#[from] Setup),
}

impl From<Wrong> for ProviderError {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::UnknownKey => Setup::UnknownKey.into(),
            Wrong::Setup(setup) => setup.into(),
            Wrong::Invalid(_) => Self::Refused(wrong.to_string()),
        }
    }
}

/// The one answer to whatever was forged, is too late, or is shut: which of them, only the log knows.
pub(super) fn refused() -> AppError {
    AppError::invalid("provider", reason!("provider_refused"))
}

impl ProviderError {
    /// What the person is told of it. `label` is what people call the provider.
    pub fn told(&self, label: &str) -> AppError {
        let invalid = |reason: Reason| AppError::invalid("provider", reason);
        match self {
            Self::Refused(_) => refused(),
            Self::Unavailable(_) => AppError::unavailable(reason!("provider_unavailable", provider = label)),
            Self::Unconfirmed => invalid(reason!("provider_unconfirmed", provider = label)),
            Self::Address => invalid(reason!("provider_address", provider = label)),
            Self::Setup(setup) if setup.is_of_the_whole_provider() => AppError::unavailable(setup.reason(label)),
            Self::Setup(setup) => invalid(setup.reason(label)),
        }
    }
}

impl Setup {
    /// Whether it is known before anybody has come back from the provider.
    const fn is_of_the_whole_provider(&self) -> bool {
        matches!(self, Self::Discovery(_) | Self::Issuer { .. } | Self::Insecure(_) | Self::Network(_) | Self::NoKeys)
    }

    /// What does not work, for the person.
    fn reason(&self, label: &str) -> Reason {
        match self {
            Self::Discovery(_) => reason!("provider_discovery", provider = label),
            Self::Issuer { .. } => reason!("provider_issuer", provider = label),
            Self::TokenIssuer { .. } => reason!("provider_token_issuer", provider = label),
            Self::Insecure(_) => reason!("provider_insecure", provider = label),
            Self::Network(_) => reason!("provider_network", provider = label),
            Self::NoKeys => reason!("provider_keys", provider = label),
            Self::UnknownKey => reason!("provider_key", provider = label),
            Self::Algorithm(_) => reason!("provider_algorithm", provider = label),
            Self::Encrypted => reason!("provider_encrypted", provider = label),
            Self::Client(_) => reason!("provider_client", provider = label),
            Self::Request(_) => reason!("provider_request", provider = label),
            Self::Token(_) => reason!("provider_token", provider = label),
            Self::Audience => reason!("provider_audience", provider = label),
            Self::Clock { .. } => reason!("provider_clock", provider = label),
            Self::Subject => reason!("provider_subject", provider = label),
            Self::Userinfo(_) => reason!("provider_userinfo", provider = label),
            Self::NoAddress => reason!("provider_email", provider = label),
            Self::Unstated(_) => reason!("provider_email_unconfirmed", provider = label),
            Self::NoAuthTime => reason!("provider_auth_time", provider = label),
        }
    }

    /// Which one it is, to tell administrators of each once in a while.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Discovery(_) => "discovery",
            Self::Issuer { .. } => "issuer",
            Self::TokenIssuer { .. } => "token issuer",
            Self::Insecure(_) => "insecure",
            Self::Network(_) => "network",
            Self::NoKeys => "keys",
            Self::UnknownKey => "key",
            Self::Algorithm(_) => "algorithm",
            Self::Encrypted => "encrypted",
            Self::Client(_) => "client",
            Self::Request(_) => "request",
            Self::Token(_) => "token",
            Self::Audience => "audience",
            Self::Clock { .. } => "clock",
            Self::Subject => "subject",
            Self::Userinfo(_) => "userinfo",
            Self::NoAddress => "email",
            Self::Unstated(_) => "email_verified",
            Self::NoAuthTime => "auth_time",
        }
    }
}
