//! What browsers ask for: pages, server functions, streams, downloads and files. A browser is known by its cookie.

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
    refusal::{not_served, refuse, refuse_request},
    session,
};
use crate::{
    domain::{AppError, limits},
    server::state::AppState,
};

/// The routes. `shell` renders the whole document.
pub(super) fn routes<V: IntoView + 'static>(
    state: &AppState,
    rules: &Arc<Rules>,
    shell: impl Fn(LeptosOptions) -> V + Clone + Send + Sync + 'static,
) -> Router<AppState> {
    // Only what needs to know who is asking reads sessions.
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
    guarded(routes, rules, limits::BODY_BYTES).merge(guarded(uploads, rules, limits::PICTURE_BYTES))
}

/// These routes behind the checks for browsers: a form must come from a page of ours, and its body has at most `most` bytes.
pub(super) fn guarded<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    rules: &Arc<Rules>,
    most: usize,
) -> Router<S> {
    // Before the layer, which then is around this too.
    routes.method_not_allowed_fallback(not_served).layer(from_fn_with_state((rules.clone(), most), guard))
}

/// The layer.
async fn guard(State((rules, most)): State<(Arc<Rules>, usize)>, mut request: Request, next: Next) -> Response {
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
        if let Err(refusal) = body::check_head(request.headers(), most) {
            return *refusal;
        }
        let body = std::mem::take(request.body_mut());
        *request.body_mut() = Body::new(body::Bounded::new(body, most, rules.body_time));
    }
    next.run(request).await
}
