//! Errors of identity providers: one message for the user, another for the log and the audit.

use crate::{domain::AppError, i18n::Reason};

/// An error of an identity provider. `Display` is for the log; [`ProviderError::to_app_error`] is for the user.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    /// The provider does not answer. Transient.
    #[error("{0}")]
    Unavailable(String),
    /// The setup here or at the provider is wrong. Permanent until someone changes a setting.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The provider says that the user's address is not verified.
    #[error("the claim `email_verified` is false")]
    EmailNotVerified,
    /// The user's address cannot be used here.
    #[error("the claim `email` is not an address that can be used here")]
    InvalidEmail,
    /// The response is forged, expired or replayed.
    #[error("{0}")]
    Refused(String),
}

/// A wrong setting, here or at the provider, that prevents every sign-in through it.
#[derive(Debug, thiserror::Error)]
pub(super) enum SetupError {
    /// The response at the issuer URL is not a discovery document.
    #[error("the discovery document cannot be used: {0}")]
    Discovery(String),
    /// The issuer in the discovery document differs from the configuration.
    #[error(
        "the provider calls itself {given:?}, but `issuer` is configured as {configured:?}; they must be identical"
    )]
    Issuer {
        /// The issuer in the document.
        given: String,
        /// The configured issuer.
        configured: String,
    },
    /// The issuer in the ID token differs from the configuration.
    #[error("the ID token is from {given:?}, but `issuer` is configured as {configured:?}; they must be identical")]
    TokenIssuer {
        /// The issuer in the token.
        given: String,
        /// The configured issuer.
        configured: String,
    },
    /// An endpoint is not encrypted.
    #[error("an endpoint of the provider is not https: {0}")]
    Insecure(&'static str),
    /// An endpoint resolves to a network that is not allowed.
    #[error("an endpoint of the provider may not be requested: {0}")]
    Network(String),
    /// The key set has no key that can verify an ID token.
    #[error("the key set has no usable key (RSA, EC P-256 or P-384, or Ed25519, for signatures)")]
    NoKeys,
    /// The ID token is signed by a key that is not in the key set.
    #[error("the ID token is signed by a key that is not in the key set")]
    UnknownKey,
    /// The signature algorithm is not accepted.
    #[error("the ID token is signed with {0}; set RS256, ES256 or EdDSA at the provider")]
    Algorithm(String),
    /// The ID token or the userinfo response is encrypted.
    #[error("the token is encrypted; switch the encryption of ID tokens and userinfo off at the provider")]
    Encrypted,
    /// The token endpoint rejects the request for a reason other than the code.
    #[error(
        "the token endpoint refuses this installation ({0}); compare `client_id`, `client_secret` and the redirect address"
    )]
    Client(String),
    /// The authorization endpoint rejected our request.
    #[error("the provider refused the request: {0}")]
    Request(&'static str),
    /// The response of the token endpoint is malformed.
    #[error("the response of the token endpoint cannot be used: {0}")]
    Token(&'static str),
    /// The ID token has another audience.
    #[error("the ID token is not for this installation: with several audiences (`aud`), `azp` must be `client_id`")]
    Audience,
    /// The clocks differ.
    #[error("the ID token's {claim} is {seconds} seconds off; compare the clocks")]
    Clock {
        /// The claim that is off.
        claim: &'static str,
        /// Its distance from now, in seconds.
        seconds: i64,
    },
    /// The subject cannot be stored.
    #[error("the claim `sub` is not a string of 1 to 255 ASCII characters")]
    Subject,
    /// The userinfo endpoint failed, or its response is malformed.
    #[error("the userinfo endpoint cannot be used: {0}")]
    Userinfo(String),
    /// The `email` claim is missing.
    #[error(
        "neither the ID token nor the userinfo endpoint returns the claim `email`; allow the scope `email` at the provider"
    )]
    MissingEmail,
    /// The `email_verified` claim is missing or malformed.
    #[error("the claim `email_verified` is {0}; it must be true, in the same response as `email`")]
    InvalidEmailVerified(String),
    /// The `auth_time` claim is missing.
    #[error("the claim `auth_time` is missing, though `max_age` was asked for")]
    MissingAuthTime,
}

/// An error of a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// The signing key is not in the cached key set. It may be newer.
    #[error("the ID token is signed by a key that is not in the key set")]
    UnknownKey,
    /// The token is invalid.
    #[error("the ID token is not valid: {0}")]
    Invalid(&'static str),
    /// The provider is set up differently from what we expect.
    #[error(transparent)]
    Setup(#[from] SetupError),
}

impl From<TokenError> for ProviderError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::UnknownKey => SetupError::UnknownKey.into(),
            TokenError::Setup(setup) => setup.into(),
            TokenError::Invalid(_) => Self::Refused(error.to_string()),
        }
    }
}

/// The one error for a response that is forged or expired, and for a disabled account. Only the log tells them apart.
pub(super) fn refused() -> AppError {
    AppError::invalid("provider", reason!("provider_refused"))
}

impl ProviderError {
    /// The error for the user. `label` is the display name of the provider.
    pub fn to_app_error(&self, label: &str) -> AppError {
        let invalid = |reason: Reason| AppError::invalid("provider", reason);
        match self {
            Self::Refused(_) => refused(),
            Self::Unavailable(_) => AppError::unavailable(reason!("provider_unavailable", provider = label)),
            Self::EmailNotVerified => invalid(reason!("provider_unconfirmed", provider = label)),
            Self::InvalidEmail => invalid(reason!("provider_address", provider = label)),
            Self::Setup(setup) if setup.is_provider_wide() => AppError::unavailable(setup.reason(label)),
            Self::Setup(setup) => invalid(setup.reason(label)),
        }
    }
}

impl SetupError {
    /// Whether the error shows before a user returns from the provider.
    const fn is_provider_wide(&self) -> bool {
        matches!(self, Self::Discovery(_) | Self::Issuer { .. } | Self::Insecure(_) | Self::Network(_) | Self::NoKeys)
    }

    /// The message for the user.
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
            Self::MissingEmail => reason!("provider_email", provider = label),
            Self::InvalidEmailVerified(_) => reason!("provider_email_unconfirmed", provider = label),
            Self::MissingAuthTime => reason!("provider_auth_time", provider = label),
        }
    }

    /// The kind of error. Each kind is audited at most once an hour per provider.
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
            Self::MissingEmail => "email",
            Self::InvalidEmailVerified(_) => "email_verified",
            Self::MissingAuthTime => "auth_time",
        }
    }
}
