//! Outgoing HTTP requests: the egress policy (SSRF protection), retries and circuit breakers. All requests of the
//! program go through this module.
//!
//! Every request states the source of its URL ([`Source`]) and a deadline. Responses are streams; [`read_whole`] and
//! [`read_prefix`] read their bodies up to a limit.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::http;
use ipnet::IpNet;
use reqwest::{Client, Request, Response, StatusCode, dns::Resolve};
use tokio::time::{Instant, timeout_at};

use self::{
    breaker::Breakers,
    policy::{Policy, Route},
    resolver::{CheckedResolver, SystemResolver},
};

mod body;
mod breaker;
mod client;
mod error;
mod networks;
mod policy;
mod resolver;
mod retry;

#[cfg(test)]
mod tests;

pub use body::{read_prefix, read_whole};
pub use error::EgressError;
pub use policy::{Source, is_secure_url};

/// The client for outgoing requests; one per process. Cheap to clone.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    policy: Arc<Policy>,
    resolver: Arc<dyn Resolve>,
    /// The clients are built on first use: loading the root certificates takes some memory.
    unrestricted: OnceLock<Client>,
    checked: OnceLock<Client>,
    breakers: Breakers,
    timing: Timing,
}

/// Timing that tests shorten.
#[derive(Debug, Clone, Copy)]
struct Timing {
    /// The usual delays before the second and the third attempt.
    backoff: [Duration; 2],
    /// A host that had less time than this to answer has not failed.
    min_wait: Duration,
    /// An idle connection is closed after this time. Shorter than that of the servers, many of which (uvicorn, Node,
    /// Apache) wait for five seconds: a request sent on a connection that the host is closing is lost.
    idle_timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let backoff = [Duration::from_millis(100), Duration::from_millis(400)];
        Self { backoff, min_wait: Duration::from_secs(10), idle_timeout: Duration::from_secs(4) }
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Egress").field(&self.0.policy).finish()
    }
}

impl Default for Egress {
    /// Only the public internet is allowed.
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Egress {
    /// `allowed_networks` may be reached, besides the public internet, by URLs that are not configured.
    pub fn new(allowed_networks: Vec<IpNet>) -> Self {
        Self::with_parts(allowed_networks, Arc::new(SystemResolver), Timing::default())
    }

    fn with_parts(allowed: Vec<IpNet>, resolver: Arc<dyn Resolve>, timing: Timing) -> Self {
        Self(Arc::new(Inner {
            policy: Arc::new(Policy { allowed }),
            resolver,
            unrestricted: OnceLock::new(),
            checked: OnceLock::new(),
            breakers: Breakers::default(),
            timing,
        }))
    }

    /// Sends a request to a URL from `source`, retries it where that is safe, and waits until `until` for the response
    /// head. The caller limits the body.
    ///
    /// # Errors
    /// No response was received. A response with an error status is not an error.
    pub async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        source: Source<'_>,
        until: Instant,
    ) -> Result<Response, EgressError> {
        let inner = &*self.0;
        let request = Request::try_from(request)?;
        let client = inner.client(inner.policy.route(request.url(), source)?);
        let started_at = Instant::now();
        let permit = inner.breakers.acquire(request.url().origin().ascii_serialization(), started_at)?;
        let backoff = if permit.is_probe() { &[] } else { inner.timing.backoff.as_slice() };
        match timeout_at(until, retry::send(client, request, backoff, until)).await {
            Ok(Ok(response)) => {
                match response.status() {
                    // Not 503: the host itself answers that it is busy or loading a model.
                    StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
                        permit.fail(Instant::now());
                    }
                    _ => permit.succeed(),
                }
                Ok(response)
            }
            Ok(Err(error)) => {
                let error = EgressError::from(error);
                if !matches!(error, EgressError::Forbidden(_) | EgressError::Address(_)) {
                    permit.fail(Instant::now());
                }
                Err(error)
            }
            Err(_) => {
                if started_at.elapsed() >= inner.timing.min_wait {
                    permit.fail(Instant::now());
                }
                Err(EgressError::TimedOut)
            }
        }
    }
}

impl Inner {
    fn client(&self, route: Route) -> &Client {
        match route {
            Route::Unrestricted => {
                self.unrestricted.get_or_init(|| client::build(Arc::clone(&self.resolver), self.timing.idle_timeout))
            }
            Route::Checked => self.checked.get_or_init(|| {
                let (policy, resolver) = (Arc::clone(&self.policy), Arc::clone(&self.resolver));
                client::build(Arc::new(CheckedResolver { policy, resolver }), self.timing.idle_timeout)
            }),
        }
    }
}
