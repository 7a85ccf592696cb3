//! The outermost layer: assigns the request id, adds the response headers and writes the access log.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{ACCEPT, ACCEPT_LANGUAGE},
    },
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, Span};

use super::{headers, refusal::show_as_page};
use crate::{
    domain::UserId,
    i18n::Language,
    server::{clock::Clock, telemetry::RequestId},
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A slot in which a handler stores the id of the signed-in user for the access log. In the extensions of every
/// request.
#[derive(Debug, Clone, Default)]
pub struct LoggedUser(Arc<OnceLock<UserId>>);

impl LoggedUser {
    /// Stores the user's id. Later calls have no effect.
    pub fn set(&self, user: UserId) {
        self.0.get_or_init(|| user);
    }
}

/// The state of [`log_access`].
#[derive(Debug)]
pub(super) struct AccessLog {
    pub clock: Clock,
    /// Whether users reach the server over https.
    pub https: bool,
}

/// The middleware function of the access log.
pub(super) async fn log_access(State(config): State<Arc<AccessLog>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new(config.clock.new_id());
    // At error level, so that no log filter removes it: error events always carry the request id.
    let span = tracing::error_span!("request", %id);
    let mut entry = AccessLogEntry::start(&request, span.clone());
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(entry.user.clone());
    let language = preferred_language(request.headers());
    request.extensions_mut().insert(language);
    let wants_page = matches!(*request.method(), Method::GET | Method::HEAD) && accepts_html(request.headers());

    let mut response = next.run(request).instrument(span).await;

    if wants_page {
        let chosen = response.extensions().get::<Language>().copied();
        show_as_page(&mut response, chosen.unwrap_or(language));
    }
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    headers::add_missing_headers(response.headers_mut(), config.https);
    entry.finish(response.status());
    response
}

/// The preferred language from `Accept-Language`.
fn preferred_language(headers: &HeaderMap) -> Language {
    let header = headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
    header.and_then(Language::negotiate).unwrap_or_default()
}

/// Whether the client is a browser that expects a page.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// The access log entry of one request. It holds the route pattern, not the raw path or the query, and nothing else
/// that the client sent.
struct AccessLogEntry {
    method: &'static str,
    route: Option<MatchedPath>,
    started_at: Instant,
    user: LoggedUser,
    span: Span,
    finished: bool,
}

impl AccessLogEntry {
    fn start(request: &Request, span: Span) -> Self {
        let method = match *request.method() {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            _ => "OTHER",
        };
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self { method, route, started_at: Instant::now(), user: LoggedUser::default(), span, finished: false }
    }

    fn finish(&mut self, status: StatusCode) {
        self.finished = true;
        self.write(status.as_u16());
    }

    fn write(&self, status: u16) {
        let route = self.route.as_ref().map_or("-", MatchedPath::as_str);
        let ms = u64::try_from(self.started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let user = self.user.0.get().map(tracing::field::display);
        self.span.in_scope(|| tracing::info!(user, method = self.method, route, status, ms, "answered"));
    }
}

impl Drop for AccessLogEntry {
    /// When the client disconnects before the response is ready, this future is dropped. Logs status 499, as nginx
    /// does.
    fn drop(&mut self) {
        if !self.finished {
            self.write(499);
        }
    }
}
