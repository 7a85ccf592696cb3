//! The HTTP client for a provider: one deadline for all requests of a flow, and responses of bounded size.

use std::time::Duration;

use openidconnect::{
    HttpRequest, HttpResponse,
    http::{self, Request, header},
};
use tokio::time::{Instant, timeout_at};

use super::error::{ProviderError, SetupError};
use crate::server::egress::{Egress, EgressError, Source, read_whole};

/// Maximum size of a response, in bytes.
const MAX_RESPONSE_BYTES: usize = 1_000_000;

/// A client for the requests to one provider on behalf of one user request. All share one deadline.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProviderClient<'a> {
    egress: &'a Egress,
    issuer: &'a str,
    deadline: Instant,
}

impl<'a> ProviderClient<'a> {
    /// Creates a client for this issuer. All requests together may take `timeout`.
    pub fn new(egress: &'a Egress, issuer: &'a str, timeout: Duration) -> Self {
        Self { egress, issuer, deadline: Instant::now() + timeout }
    }

    /// The same client with a shorter deadline.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { deadline: self.deadline.min(Instant::now() + timeout), ..self }
    }

    /// Runs `work` until the deadline; then fails with a timeout.
    pub async fn run<T>(&self, work: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
        timeout_at(self.deadline, work).await.unwrap_or_else(|_| Err(EgressError::TimedOut.into()))
    }

    /// Sends a GET request, with a bearer token if given.
    pub async fn get(&self, address: &str, token: Option<&str>) -> Result<HttpResponse, ProviderError> {
        let request = Request::builder().uri(address).header(header::ACCEPT, "application/json, application/jwt;q=0.9");
        let request = match token {
            Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        };
        self.fetch(request.body(Vec::new())?).await
    }

    /// Sends a request.
    pub async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, ProviderError> {
        let mut response = self.egress.send(request, Source::DiscoveredAt(self.issuer), self.deadline).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = read_whole(response, MAX_RESPONSE_BYTES).await?;
        let mut result = http::Response::builder().status(status).body(body)?;
        *result.headers_mut() = headers;
        Ok(result)
    }
}

impl From<http::Error> for ProviderError {
    fn from(error: http::Error) -> Self {
        SetupError::Discovery(format!("the request or response is invalid: {error}")).into()
    }
}

impl From<EgressError> for ProviderError {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Insecure => SetupError::Insecure("one of its endpoints").into(),
            EgressError::Forbidden(_) => SetupError::Network(error.to_string()).into(),
            EgressError::Address(_) | EgressError::TooLarge => SetupError::Discovery(error.to_string()).into(),
            EgressError::TimedOut => Self::Unavailable("the provider did not answer in time".to_owned()),
            error => Self::Unavailable(format!("the provider cannot be reached: {error}")),
        }
    }
}
