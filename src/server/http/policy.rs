//! Access policies of routes that are not server functions.

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};

use super::{
    access_log::accepts_html,
    refusal::{language_in, refuse_fault, show_as_page},
};
use crate::server::{access::Access, audit::RequestMeta, state::AppState};

/// Restricts these routes to callers that the access policy allows.
pub(super) fn routes_for(access: Access, state: &AppState, routes: Router<AppState>) -> Router<AppState> {
    routes.route_layer(from_fn_with_state((state.clone(), access), require))
}

/// The middleware function of the check.
async fn require(State((state, access)): State<(AppState, Access)>, request: Request, next: Next) -> Response {
    // The body is not `Sync`, so it must not be held across an `.await`.
    let (parts, body) = request.into_parts();
    let meta = RequestMeta::from_request(&parts.extensions, &parts.headers);
    let Err(fault) = access.check(&state, &parts.extensions, parts.uri.path(), &meta).await else {
        return next.run(Request::from_parts(parts, body)).await;
    };
    let mut refusal = refuse_fault(fault, &parts.extensions);
    if accepts_html(&parts.headers) {
        show_as_page(&mut refusal, language_in(&parts.extensions));
    }
    refusal
}
