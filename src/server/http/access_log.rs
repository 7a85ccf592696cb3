//! The outermost layer: gives each request an id, each answer its headers, and each pair of them a line in the log.

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

/// The place where a request's handlers leave who is asking, for the log. An extension of all requests.
#[derive(Debug, Clone, Default)]
pub struct LoggedUser(Arc<OnceLock<UserId>>);

impl LoggedUser {
    /// Leaves the person's id. The first one stays.
    pub fn set(&self, user: UserId) {
        self.0.get_or_init(|| user);
    }
}

/// What the layer needs to know.
#[derive(Debug)]
pub(super) struct AccessLog {
    pub clock: Clock,
    /// Whether people reach us by https.
    pub https: bool,
}

/// The layer.
pub(super) async fn log_access(State(with): State<Arc<AccessLog>>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new(with.clock.new_id());
    // Of level error, so that it is there for events of errors whatever the filter.
    let span = tracing::error_span!("request", %id);
    let mut line = Line::begin(&request, span.clone());
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(line.user.clone());
    let language = language_of(request.headers());
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
    headers::complete(response.headers_mut(), with.https);
    line.end(response.status());
    response
}

/// The language that a browser asks for.
fn language_of(headers: &HeaderMap) -> Language {
    let asked = headers.get(ACCEPT_LANGUAGE).and_then(|asked| asked.to_str().ok());
    asked.and_then(Language::negotiate).unwrap_or_default()
}

/// Whether the client is a browser that wants a page.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// The line of one request in the log: no query, no path as it was sent, nothing that the client wrote.
struct Line {
    method: &'static str,
    route: Option<MatchedPath>,
    begun: Instant,
    user: LoggedUser,
    span: Span,
    ended: bool,
}

impl Line {
    fn begin(request: &Request, span: Span) -> Self {
        let method = match *request.method() {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            _ => "OTHER",
        };
        let route = request.extensions().get::<MatchedPath>().cloned();
        Self { method, route, begun: Instant::now(), user: LoggedUser::default(), span, ended: false }
    }

    fn end(&mut self, status: StatusCode) {
        self.ended = true;
        self.write(status.as_u16());
    }

    fn write(&self, status: u16) {
        let route = self.route.as_ref().map_or("-", MatchedPath::as_str);
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let user = self.user.0.get().map(tracing::field::display);
        self.span.in_scope(|| tracing::info!(user, method = self.method, route, status, ms, "answered"));
    }
}

impl Drop for Line {
    /// A client that goes away before its answer ends this future in the middle. 499 is what others write then.
    fn drop(&mut self) {
        if !self.ended {
            self.write(499);
        }
    }
}
