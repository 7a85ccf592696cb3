//! Identifies the caller and their language, once per request.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tower_sessions::Session;

use super::{
    LoggedUser,
    refusal::{language_in, refuse_fault},
};
use crate::server::{auth::SessionState, cookies::SESSION, state::AppState};

/// The middleware function. Adds the [`Caller`](crate::server::auth::Caller) to the request's extensions if a user is signed in.
pub(super) async fn identify(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let https = state.config.is_https();
    // Without our cookie there is no session, so the database is not queried.
    if SESSION.find(request.headers(), https).is_some()
        && let Some(session) = request.extensions().get::<Session>().cloned()
    {
        let caller = match SessionState::read(&session).await {
            Ok(session) => state.accounts.authenticate_session(&session).await,
            Err(fault) => Err(fault),
        };
        match caller {
            Ok(Some(caller)) => {
                // The language from the profile takes precedence over `Accept-Language`.
                request.extensions_mut().insert(caller.language);
                if let Some(logged) = request.extensions().get::<LoggedUser>() {
                    logged.set(caller.user.id);
                }
                request.extensions_mut().insert(caller);
            }
            Ok(None) => {}
            Err(fault) => return refuse_fault(fault, request.extensions()),
        }
    }
    let language = language_in(request.extensions());
    let mut response = next.run(request).await;
    // The outer layers render error pages in this language.
    response.extensions_mut().insert(language);
    response
}
