//! Finds out who is asking, once per request.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tower_sessions::Session;

use super::{LoggedUser, refusal::refuse_fault};
use crate::server::{cookies::SESSION, state::AppState};

/// The layer: leaves the [`Caller`](crate::server::auth::Caller) in the request's extensions where somebody is signed in.
pub(super) async fn know_caller(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let https = state.config.url.as_ref().is_some_and(|url| url.https);
    // Without our cookie there is nobody, and nothing to ask the database.
    if SESSION.find(request.headers(), https).is_some()
        && let Some(session) = request.extensions().get::<Session>().cloned()
    {
        match state.accounts.caller(&session).await {
            Ok(Some(caller)) => {
                if let Some(logged) = request.extensions().get::<LoggedUser>() {
                    logged.set(caller.user.id);
                }
                request.extensions_mut().insert(caller);
            }
            Ok(None) => {}
            Err(fault) => return refuse_fault(fault, request.extensions()),
        }
    }
    next.run(request).await
}
