//! How a provider is asked: for as long as whoever waits has patience, and for no more than anybody needs to know.

use std::time::Duration;

use openidconnect::{
    HttpRequest, HttpResponse,
    http::{self, Request, header},
};
use tokio::time::{Instant, timeout_at};

use super::fault::{ProviderError, Setup};
use crate::server::egress::{Egress, EgressError, Source, read_whole};

/// How much of an answer is read, in bytes.
const ANSWER_BYTES: usize = 1_000_000;

/// What a provider is asked on behalf of one request of a person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inquiry<'a> {
    egress: &'a Egress,
    issuer: &'a str,
    until: Instant,
}

impl<'a> Inquiry<'a> {
    /// Of this issuer, for so long in all.
    pub fn new(egress: &'a Egress, issuer: &'a str, patience: Duration) -> Self {
        Self { egress, issuer, until: Instant::now() + patience }
    }

    /// A part of it that may not take longer than this.
    pub fn within(self, patience: Duration) -> Self {
        Self { until: self.until.min(Instant::now() + patience), ..self }
    }

    /// Bounds what is done with the answers, and says so where it takes too long.
    pub async fn in_time<T>(&self, work: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
        timeout_at(self.until, work).await.unwrap_or_else(|_| Err(EgressError::TimedOut.into()))
    }

    /// Asks for something, with a token where one is given.
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
        let mut response = self.egress.send(request, Source::NamedAt(self.issuer), self.until).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = read_whole(response, ANSWER_BYTES).await?;
        let mut answer = http::Response::builder().status(status).body(body)?;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

impl From<http::Error> for ProviderError {
    fn from(error: http::Error) -> Self {
        Setup::Discovery(format!("what it says cannot be put together: {error}")).into()
    }
}

impl From<EgressError> for ProviderError {
    fn from(error: EgressError) -> Self {
        match error {
            EgressError::Insecure => Setup::Insecure("one of its endpoints").into(),
            EgressError::Forbidden(_) => Setup::Network(error.to_string()).into(),
            EgressError::Address(_) | EgressError::TooLarge => Setup::Discovery(error.to_string()).into(),
            EgressError::TimedOut => Self::Unavailable("the provider did not answer in time".to_owned()),
            error => Self::Unavailable(format!("the provider cannot be reached: {error}")),
        }
    }
}
