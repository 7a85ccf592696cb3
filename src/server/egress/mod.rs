//! The one way out of the program for HTTP: where a request may go, how often it is tried, and when a host is left alone.
//!
//! Every request says who named its address ([`Source`]) and until when its answer is of use to whoever waits. Answers come
//! as streams; [`read_whole`] and [`read_beginning`] bound those that are read at once.

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
    resolver::{Checked, System},
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

pub use body::{read_beginning, read_whole};
pub use error::EgressError;
pub use policy::{Source, is_safe};

/// The way out; one per process. Cheap to clone.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    policy: Arc<Policy>,
    resolver: Arc<dyn Resolve>,
    /// Each is made where it is needed first: it reads the machine's certificates, which takes some memory.
    anywhere: OnceLock<Client>,
    checked: OnceLock<Client>,
    breakers: Breakers,
    timing: Timing,
}

/// What tests shorten.
#[derive(Debug, Clone, Copy)]
struct Timing {
    /// Before each further try, as a rule.
    pauses: [Duration; 2],
    /// A host that had less time than this to answer has not failed.
    fair: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let pauses = [Duration::from_millis(100), Duration::from_millis(400)];
        Self { pauses, fair: Duration::from_secs(10) }
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Egress").field(&self.0.policy).finish()
    }
}

impl Default for Egress {
    /// Without a network that is allowed besides the public internet.
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Egress {
    /// `allowed_networks` may be reached besides the public internet by addresses that nobody configured.
    pub fn new(allowed_networks: Vec<IpNet>) -> Self {
        Self::with(allowed_networks, Arc::new(System), Timing::default())
    }

    fn with(allowed: Vec<IpNet>, resolver: Arc<dyn Resolve>, timing: Timing) -> Self {
        Self(Arc::new(Inner {
            policy: Arc::new(Policy { allowed }),
            resolver,
            anywhere: OnceLock::new(),
            checked: OnceLock::new(),
            breakers: Breakers::default(),
            timing,
        }))
    }

    /// Sends a request to an address that `source` named, again where that does no harm, and waits until `until` for the
    /// head of the answer. The body is the caller's to bound.
    ///
    /// # Errors
    /// Why there is no answer. One that says that something is wrong is an answer.
    pub async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        source: Source<'_>,
        until: Instant,
    ) -> Result<Response, EgressError> {
        let inner = &*self.0;
        let request = Request::try_from(request)?;
        let client = inner.client(inner.policy.route(request.url(), source)?);
        let begun = Instant::now();
        let permit = inner.breakers.admit(request.url().origin().ascii_serialization(), begun)?;
        let pauses = if permit.is_probe() { &[] } else { inner.timing.pauses.as_slice() };
        match timeout_at(until, retry::send(client, request, pauses, until)).await {
            Ok(Ok(response)) => {
                match response.status() {
                    // Not 503: a host that is busy, or loads a model, says so itself.
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
                if begun.elapsed() >= inner.timing.fair {
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
            Route::Anywhere => self.anywhere.get_or_init(|| client::build(Arc::clone(&self.resolver))),
            Route::Checked => self.checked.get_or_init(|| {
                let (policy, resolver) = (Arc::clone(&self.policy), Arc::clone(&self.resolver));
                client::build(Arc::new(Checked { policy, resolver }))
            }),
        }
    }
}
