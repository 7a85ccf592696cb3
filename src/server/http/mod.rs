//! The server's doors: routes, and the layers around them.
//!
//! From the outside in, each request goes through
//! 1. [`serve`](serve()): the connection; slow, oversized, ambiguous and unreadable heads end here;
//! 2. `envelope`: an id, the headers of every answer, one line in the log;
//! 3. `gate`: methods, framing, `Host`, addresses, cross-site requests, sizes of bodies;
//! 4. `isolate`: a task of its own, panics, the deadline;
//! 5. compression;
//! 6. the routes.

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

use self::{envelope::Stationery, gate::Rules, isolate::Deadline};
use crate::{
    domain::AppError,
    server::{clock::Clock, config::Config, state::AppState},
    server_fns::fields_of,
};

mod address;
mod audit;
mod body;
mod caller;
mod enrol;
mod envelope;
mod events;
mod export;
mod files;
mod functions;
mod gate;
mod headers;
mod heads;
mod health;
mod identities;
mod isolate;
mod listener;
mod options;
mod origin;
mod pages;
mod percent;
mod picture;
mod refusal;
mod serve;
mod session;
mod signals;
mod stall;
mod typed;

pub use address::Connected;
pub use envelope::LoggedUser;
pub use gate::RequestHost;
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
    // Only what needs to know who is asking reads sessions.
    let around = |router: Router<AppState>| {
        let router = router.layer(from_fn_with_state(state.clone(), enrol::ask_for_factor));
        let router = router.layer(from_fn_with_state(state.clone(), caller::know_caller));
        router.layer(from_fn_with_state(state.clone(), session::keep_session))
    };
    let private = Router::new()
        .merge(pages::routes(&state, shell.clone()))
        .merge(functions::routes(&state, &rules, fields_of))
        .merge(events::routes())
        .merge(identities::routes())
        .merge(audit::routes())
        .merge(picture::routes())
        .merge(export::routes());
    let not_found = around(pages::not_found(&state, shell)).with_state(state.clone());
    let routes = around(private)
        .merge(health::routes(ready))
        .merge(files::routes(&state.leptos_options, not_found))
        .with_state(state.clone());
    with_layers(routes, state.config, state.clock, times)
}

/// Any routes in the layers of this server.
pub fn with_layers(routes: Router, config: Arc<Config>, clock: Clock, times: Times) -> Router {
    let rules = Arc::new(Rules::new(config, times.body));
    let stationery = Arc::new(Stationery { clock, https: rules.site.is_https() });
    let compression = CompressionLayer::new()
        .gzip(true)
        // A tenth fewer bytes of a chat's page than the fastest, in the same time within what can be measured.
        .quality(CompressionLevel::Precise(4))
        .compress_when(SizeAbove::new(1_024).and(is_page_or_data));
    routes
        .method_not_allowed_fallback(async || {
            let error = AppError::invalid("request", "This address does not serve this method.");
            refuse_as(StatusCode::METHOD_NOT_ALLOWED, error)
        })
        .layer(compression)
        .layer(from_fn_with_state(Arc::new(Deadline(times.answer)), isolate::isolate))
        .layer(from_fn_with_state(rules, gate::gate))
        .layer(from_fn_with_state(stationery, envelope::envelope))
}

/// Streams must not wait for a compressor, and files come compressed already.
fn is_page_or_data(_: StatusCode, _: axum::http::Version, headers: &HeaderMap, _: &axum::http::Extensions) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/html") || kind.starts_with("application/json")
}
