//! Why no answer came.

use std::error::Error;

/// Why no answer came. The texts are for the log: they name hosts, but never a whole address, which may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// What is to be asked is no address.
    #[error("the address cannot be used: {0}")]
    Address(String),
    /// The address could be listened in on, and nobody configured it so.
    #[error("the address is neither https nor on this machine")]
    Insecure,
    /// The host leads into a network that nobody allowed. Nothing was sent.
    #[error("{0} leads into a private network, which `egress.allowed_networks` does not allow")]
    Forbidden(String),
    /// The host did not answer several times in a row. Nothing was sent.
    #[error("{0} did not answer several times in a row, and is left alone for a moment")]
    LeftAlone(String),
    /// There was no connection.
    #[error("{0}")]
    Unreachable(String),
    /// The beginning of the answer did not come in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection was lost.
    #[error("{0}")]
    Lost(String),
    /// What came was not HTTP.
    #[error("{0}")]
    Garbled(String),
    /// More came than is read.
    #[error("the answer is too large")]
    TooLarge,
}

impl EgressError {
    pub(super) fn forbidden(host: Option<&str>) -> Self {
        Self::Forbidden(host.unwrap_or("the address").to_owned())
    }
}

impl From<reqwest::Error> for EgressError {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if let Some(Self::Forbidden(host)) = find_cause(&error) {
            return Self::Forbidden(host.clone());
        }
        let kind = match find_cause::<hyper::Error>(&error) {
            _ if error.is_builder() => Self::Address,
            _ if error.is_connect() => Self::Unreachable,
            Some(cause) if cause.is_parse() => Self::Garbled,
            _ => Self::Lost,
        };
        kind(causes(&error).fold(error.to_string(), |text, cause| format!("{text}: {cause}")))
    }
}

/// What of this type is among the causes of an error.
pub(super) fn find_cause<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
