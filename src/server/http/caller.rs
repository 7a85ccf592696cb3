//! Finds out who calls, once per request, and which language they read.

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
use crate::server::{
    auth::{Caller, Unenrolled},
    cookies::SESSION,
    fault::Fault,
    state::AppState,
};

/// The layer: leaves in the request's extensions the [`Caller`] where somebody is signed in, and [`Unenrolled`] where they
/// must add a second factor before anything else.
pub(super) async fn identify(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let https = state.config.url.as_ref().is_some_and(|url| url.https);
    // Without our cookie there is nobody, and nothing to ask the database.
    if SESSION.find(request.headers(), https).is_some()
        && let Some(session) = request.extensions().get::<Session>().cloned()
    {
        match find(&state, &session).await {
            Ok(Some((caller, is_unenrolled))) => {
                // What they chose goes before what their browser asks for.
                request.extensions_mut().insert(caller.language);
                if let Some(logged) = request.extensions().get::<LoggedUser>() {
                    logged.set(caller.user.id);
                }
                request.extensions_mut().insert(caller);
                if is_unenrolled {
                    request.extensions_mut().insert(Unenrolled);
                }
            }
            Ok(None) => {}
            Err(fault) => return refuse_fault(fault, request.extensions()),
        }
    }
    let language = language_in(request.extensions());
    let mut response = next.run(request).await;
    // For what the outer layers say.
    response.extensions_mut().insert(language);
    response
}

async fn find(state: &AppState, session: &Session) -> Result<Option<(Caller, bool)>, Fault> {
    let Some(caller) = state.accounts.caller(session).await? else { return Ok(None) };
    let is_unenrolled = state.accounts.must_enrol(&caller).await?;
    Ok(Some((caller, is_unenrolled)))
}
