//! Why a request failed.

use std::error::Error;

/// Why a request failed. The messages are for the log: they name hosts, but never a whole URL, which may contain a
/// secret.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The URL is invalid.
    #[error("the address cannot be used: {0}")]
    Address(String),
    /// The URL was not configured by the operator and is neither https nor loopback.
    #[error("the address is neither https nor on this machine")]
    Insecure,
    /// The host resolves to a network that is not allowed. Nothing was sent.
    #[error("{0} leads into a private network, which `egress.allowed_networks` does not allow")]
    Forbidden(String),
    /// The circuit breaker of the host is open. Nothing was sent.
    #[error("{0} repeatedly did not answer, so no requests are sent to it for a while")]
    CircuitOpen(String),
    /// The connection could not be established.
    #[error("{0}")]
    Unreachable(String),
    /// The response head did not arrive in time.
    #[error("no answer in time")]
    TimedOut,
    /// The connection was lost.
    #[error("{0}")]
    ConnectionLost(String),
    /// The response was not valid HTTP.
    #[error("{0}")]
    InvalidResponse(String),
    /// The response exceeds the size limit.
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
            Some(cause) if cause.is_parse() => Self::InvalidResponse,
            _ => Self::ConnectionLost,
        };
        kind(causes(&error).fold(error.to_string(), |text, cause| format!("{text}: {cause}")))
    }
}

/// Returns the first cause of this type.
pub(super) fn find_cause<T: Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
