//! HTTP: routes, and the layers around them.
//!
//! From the outside in, each request goes through
//! 1. [`serve`](serve()): the connection; slow, oversized, ambiguous and unreadable heads end here;
//! 2. `access_log`: an id, the headers of every answer, one line in the log;
//! 3. `guard`: framing, `Host`, addresses;
//! 4. `catch_panic`: a task of its own, panics, the deadline;
//! 5. compression;
//! 6. one of the routers, each with layers of its own: `browser` (methods, cross-site requests, sizes of bodies, sessions)
//!    or `health`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    middleware::from_fn_with_state,
};
use leptos::{IntoView, config::LeptosOptions};
use tower_http::compression::{
    CompressionLayer, CompressionLevel,
    predicate::{Predicate, SizeAbove},
};

use self::{access_log::AccessLog, catch_panic::Deadline, guard::Rules, refusal::not_served};
use crate::{
    domain::limits,
    server::{clock::Clock, config::Config, state::AppState},
};

mod access_log;
mod address;
mod audit_export;
mod body;
mod browser;
mod caller;
mod catch_panic;
mod events;
mod export;
mod files;
mod functions;
mod guard;
mod headers;
mod heads;
mod health;
mod identities;
mod listener;
mod locales;
mod options;
mod origin;
mod pages;
mod percent;
mod picture;
mod policy;
mod refusal;
mod serve;
mod session;
mod signals;
mod typed;
mod write_timeout;

pub use access_log::LoggedUser;
pub use address::Connected;
pub use guard::RequestHost;
pub use health::Readiness;
pub use listener::Listener;
pub use options::{leptos_options, site_is_complete};
pub use refusal::{refuse, refuse_as};
pub use serve::{Limits, serve};
pub use signals::stop_on_signals;

/// How long things may take. Tests shorten them.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// From the head of a request to the head of its answer.
    pub answer: Duration,
    /// For the whole body of a request to arrive.
    pub body: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { answer: Duration::from_secs(60), body: Duration::from_secs(30) }
    }
}

/// The whole server: pages, server functions, files, health, in all layers. `shell` renders the whole document.
pub fn router<V: IntoView + 'static>(
    state: AppState,
    ready: Readiness,
    shell: impl Fn(LeptosOptions) -> V + Clone + Send + Sync + 'static,
) -> Router {
    let times = Times::default();
    let rules = Arc::new(Rules::new(state.config.clone(), times.body));
    let routes = browser::routes(&state, &rules, shell).merge(health::routes(ready)).with_state(state.clone());
    with_layers(routes, state.config, state.clock, times)
}

/// Any routes behind the checks for browsers and in the layers of this server, as its own are.
pub fn with_browser_layers(routes: Router, config: Arc<Config>, clock: Clock, times: Times) -> Router {
    let rules = Arc::new(Rules::new(config.clone(), times.body));
    with_layers(browser::guarded(routes, &rules, limits::BODY_BYTES), config, clock, times)
}

/// Routes in the layers that all have.
fn with_layers(routes: Router, config: Arc<Config>, clock: Clock, times: Times) -> Router {
    let rules = Arc::new(Rules::new(config, times.body));
    let access_log = Arc::new(AccessLog { clock, https: rules.site.is_https() });
    let compression = CompressionLayer::new()
        .gzip(true)
        // A tenth fewer bytes of a chat's page than the fastest, in the same time within what can be measured.
        .quality(CompressionLevel::Precise(4))
        .compress_when(SizeAbove::new(1_024).and(is_page_or_data));
    routes
        .method_not_allowed_fallback(not_served)
        .layer(compression)
        .layer(from_fn_with_state(Arc::new(Deadline(times.answer)), catch_panic::catch_panic))
        .layer(from_fn_with_state(rules, guard::guard))
        .layer(from_fn_with_state(access_log, access_log::log_access))
}

/// Streams must not wait for a compressor, and files come compressed already.
fn is_page_or_data(_: StatusCode, _: axum::http::Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    ["text/html", "application/json", "text/plain"].iter().any(|known| kind.starts_with(known))
}
