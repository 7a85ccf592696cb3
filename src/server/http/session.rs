//! The session of each request, and the cookie that names it.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tower_sessions::{Expiry, Session, session::Id};

use super::refusal::refuse;
use crate::{
    domain::AppError,
    server::{cookies::SESSION, state::AppState},
};

/// The layer: leaves the [`Session`] in the request's extensions, which nobody asks the database for before somebody wants to
/// know what is in it. A cookie that names nothing is taken away.
pub(super) async fn load_session(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let https = state.config.url.as_ref().is_some_and(|url| url.https);
    let shown = SESSION.find(request.headers(), https);
    let (is_shown, id) = (shown.is_some(), shown.and_then(|text| text.parse::<Id>().ok()));
    let session = Session::new(id, Arc::new(state.sessions), Some(Expiry::OnSessionEnd));
    request.extensions_mut().insert(session.clone());
    let mut response = next.run(request).await;
    if session.is_empty().await {
        if is_shown {
            SESSION.remove(response.headers_mut(), https);
        }
        return response;
    }
    // What did not come to its end changes nothing.
    if !session.is_modified() || response.status().is_server_error() {
        return response;
    }
    if let Err(error) = session.save().await {
        tracing::warn!(%error, "a session cannot be written");
        return refuse(AppError::unavailable(reason!("session_unwritable")));
    }
    if let Some(id) = session.id() {
        let seconds = match session.expiry() {
            Some(Expiry::OnInactivity(age)) => Some(age.whole_seconds()),
            _ => None,
        };
        SESSION.set(response.headers_mut(), https, &id.to_string(), seconds);
    }
    response
}
