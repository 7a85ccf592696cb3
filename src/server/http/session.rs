//! The session of each request, and its cookie.

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

/// The middleware function: adds the [`Session`] to the request's extensions. It is loaded from the database on first
/// access only. A cookie of a session that does not exist is removed.
pub(super) async fn load_session(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let https = state.config.is_https();
    let cookie = SESSION.find(request.headers(), https);
    let (has_cookie, id) = (cookie.is_some(), cookie.and_then(|text| text.parse::<Id>().ok()));
    let session = Session::new(id, Arc::new(state.sessions.clone()), Some(Expiry::OnSessionEnd));
    request.extensions_mut().insert(session.clone());
    let mut response = next.run(request).await;
    if session.is_empty().await {
        if has_cookie {
            SESSION.remove(response.headers_mut(), https);
        }
        return response;
    }
    // A failed request does not change the session.
    if !session.is_modified() || response.status().is_server_error() {
        return response;
    }
    if let Err(error) = session.save().await {
        tracing::warn!(%error, "cannot save the session");
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
