//! HTTP: routes, and the layers around them.
//!
//! From the outside in, each request passes through
//! 1. [`serve`](serve()): the connection; rejects slow, oversized, ambiguous and malformed heads;
//! 2. `access_log`: the request id, the headers of every response, one log entry;
//! 3. `guard`: framing, `Host`, client address;
//! 4. `catch_panic`: a task of its own, panics, the deadline;
//! 5. compression;
//! 6. one of the routers, each with its own layers: `browser` (methods, cross-site requests, body sizes, sessions) or
//!    `health`.

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

use self::{access_log::AccessLog, catch_panic::Deadline, guard::Rules, refusal::method_not_allowed};
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
mod form_values;
mod functions;
mod guard;
mod head_filter;
mod headers;
mod health;
mod identities;
mod listener;
mod locales;
mod options;
mod origin;
mod pages;
mod picture;
mod policy;
mod refusal;
mod serve;
mod session;
mod signals;
mod visitor_pages;
mod write_timeout;

pub use access_log::LoggedUser;
pub use address::ConnectionAddrs;
pub use guard::RequestHost;
pub use health::Readiness;
pub use listener::Listener;
pub use options::leptos_options;
pub use refusal::{refuse, refuse_as};
pub use serve::{Limits, serve};
pub use signals::stop_on_signals;

/// The timeouts of requests. Tests shorten them.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From the head of a request to the head of its response.
    pub response: Duration,
    /// For the whole body of a request to arrive.
    pub body: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { response: Duration::from_secs(60), body: Duration::from_secs(30) }
    }
}

/// The whole server: pages, server functions, files and health checks, in all layers. `shell` renders the whole HTML
/// document.
pub fn router<V: IntoView + 'static>(
    state: AppState,
    ready: Readiness,
    shell: impl Fn(LeptosOptions) -> V + Clone + Send + Sync + 'static,
) -> Router {
    let timeouts = Timeouts::default();
    let rules = Arc::new(Rules::new(state.config.clone(), timeouts.body));
    let routes = browser::routes(&state, &rules, shell).merge(health::routes(ready)).with_state(state.clone());
    with_layers(routes, state.config.clone(), state.clock.clone(), timeouts)
}

/// Wraps any routes in the browser checks and all layers, as for the server's own routes.
pub fn with_browser_layers(routes: Router, config: Arc<Config>, clock: Clock, timeouts: Timeouts) -> Router {
    let rules = Arc::new(Rules::new(config.clone(), timeouts.body));
    with_layers(browser::guarded(routes, &rules, limits::MAX_BODY_BYTES), config, clock, timeouts)
}

/// Wraps routes in the layers that all routes share.
fn with_layers(routes: Router, config: Arc<Config>, clock: Clock, timeouts: Timeouts) -> Router {
    let access_log = Arc::new(AccessLog { clock, https: config.is_https() });
    let rules = Arc::new(Rules::new(config, timeouts.body));
    let compression = CompressionLayer::new()
        .gzip(true)
        // About 10 % smaller chat pages than the fastest level, at no measurable cost in time.
        .quality(CompressionLevel::Precise(4))
        .compress_when(SizeAbove::new(1_024).and(is_page_or_data));
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(compression)
        .layer(from_fn_with_state(Arc::new(Deadline(timeouts.response)), catch_panic::catch_panic))
        .layer(from_fn_with_state(rules, guard::guard))
        .layer(from_fn_with_state(access_log, access_log::log_access))
}

/// Event streams must not be buffered by a compressor, and static files are precompressed.
fn is_page_or_data(_: StatusCode, _: axum::http::Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    ["text/html", "application/json", "text/plain"].iter().any(|known| kind.starts_with(known))
}
