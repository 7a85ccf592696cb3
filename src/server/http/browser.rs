//! The routes for browsers: pages, server functions, streams, downloads and static files. Requests are authenticated by
//! cookie.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header::ALLOW},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use leptos::{IntoView, config::LeptosOptions};

use super::{
    audit_export, body, caller, events, export, files, functions,
    guard::{RequestHost, Rules},
    identities, locales, pages, picture,
    refusal::{method_not_allowed, refuse, refuse_request},
    session,
};
use crate::{
    domain::{AppError, limits},
    server::state::AppState,
};

/// The routes. `shell` renders the whole HTML document.
pub(super) fn routes<V: IntoView + 'static>(
    state: &AppState,
    rules: &Arc<Rules>,
    shell: impl Fn(LeptosOptions) -> V + Clone + Send + Sync + 'static,
) -> Router<AppState> {
    // Only these routes load the session and the caller.
    let identified = |router: Router<AppState>| {
        let router = router.layer(from_fn_with_state(state.clone(), caller::identify));
        router.layer(from_fn_with_state(state.clone(), session::load_session))
    };
    let private = Router::new()
        .merge(pages::routes(state, shell.clone()))
        .merge(functions::routes(state, rules))
        .merge(events::routes(state))
        .merge(identities::routes())
        .merge(audit_export::routes(state))
        .merge(export::routes(state))
        .merge(picture::routes(state));
    let not_found = identified(pages::not_found(state, shell)).with_state(state.clone());
    let routes = identified(private).merge(locales::routes()).merge(files::routes(&state.leptos_options, not_found));
    let uploads = identified(picture::uploads(state));
    guarded(routes, rules, limits::MAX_BODY_BYTES).merge(guarded(uploads, rules, limits::MAX_PICTURE_BYTES))
}

/// Wraps routes in the checks for browser requests: a form must come from one of our pages, and its body has at most
/// `max_body_bytes` bytes.
pub(super) fn guarded<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    rules: &Arc<Rules>,
    max_body_bytes: usize,
) -> Router<S> {
    // Must come before the layer, so that the layer also wraps this fallback.
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state((rules.clone(), max_body_bytes), guard))
}

/// The middleware function of the checks.
async fn guard(
    State((rules, max_body_bytes)): State<(Arc<Rules>, usize)>,
    mut request: Request,
    next: Next,
) -> Response {
    let method = request.method();
    if !matches!(*method, Method::GET | Method::HEAD | Method::POST) {
        let mut refusal = refuse_request(StatusCode::METHOD_NOT_ALLOWED, reason!("method_unknown"));
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        return refusal;
    }
    if *method == Method::POST {
        let host = request.extensions().get::<RequestHost>().map(|host| host.0.clone()).unwrap_or_default();
        if !rules.site.is_own_page(&host, request.headers()) {
            return refuse(AppError::Forbidden);
        }
        if let Err(refusal) = body::check_headers(request.headers(), max_body_bytes) {
            return *refusal;
        }
        let body = std::mem::take(request.body_mut());
        *request.body_mut() = Body::new(body::BoundedBody::new(body, max_body_bytes, rules.body_timeout));
    }
    next.run(request).await
}
