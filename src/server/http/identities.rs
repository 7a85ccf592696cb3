//! `/auth`: to identity providers and back.

use axum::{
    Form, Router,
    extract::{Path, Query, Request, State, rejection::FormRejection},
    http::{Extensions, HeaderMap, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tower_sessions::Session;

use super::{
    access_log::accepts_html,
    refusal::{language_in, refuse, refuse_as, refuse_request, show_as_page},
};
use crate::{
    domain::{AppError, local_path},
    server::{
        audit::RequestMeta,
        auth::{Callback, Caller, FLOW_SECONDS, FlowKind, Unenrolled},
        cookies::FLOW,
        fault::Fault,
        state::AppState,
        telemetry::RequestId,
    },
};

/// Where linking leads to where the form does not say.
const SETTINGS: &str = "/settings";

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/auth/{provider}/start", post(start)).route("/auth/{provider}/callback", get(callback))
}

/// The form's fields, or a query's: each at most once.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn is_unambiguous(&self) -> bool {
        self.0.iter().enumerate().all(|(at, (name, _))| self.0[..at].iter().all(|(earlier, _)| earlier != name))
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

/// Sends the browser to a provider. The field `purpose` is `sign_in`, `link` or `confirm`, `next` a path of this site,
/// `invitation` the token of an invitation.
async fn start(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let mut response = match form {
        Ok(Form(fields)) => leave(&state, &provider, &extensions, &headers, Fields(fields)).await,
        Err(rejection) => refuse_request(rejection.status(), reason!("form_expected")),
    };
    if accepts_html(&headers) {
        show_as_page(&mut response, language_in(&extensions));
    }
    response
}

async fn leave(
    state: &AppState,
    provider: &str,
    extensions: &Extensions,
    headers: &HeaderMap,
    mut fields: Fields,
) -> Response {
    if !fields.is_unambiguous() {
        return refuse_request(StatusCode::BAD_REQUEST, reason!("form_ambiguous"));
    }
    let purpose = fields.take("purpose");
    let next = fields.take("next").filter(|next| !next.is_empty());
    let invitation = fields.take("invitation");
    let caller = extensions.get::<Caller>();
    let (kind, usual) = match (purpose.as_deref(), caller) {
        (None | Some("sign_in"), _) => (FlowKind::SignIn, "/"),
        (Some("link"), Some(_)) if extensions.get::<Unenrolled>().is_some() => return refuse(AppError::Unenrolled),
        (Some("link"), Some(caller)) => (FlowKind::Link(caller), SETTINGS),
        (Some("confirm"), Some(caller)) => (FlowKind::Confirm(caller), SETTINGS),
        (Some("link" | "confirm"), None) => return refuse(AppError::Unauthenticated),
        (Some(_), _) => return refuse(AppError::invalid("purpose", reason!("purpose_unknown"))),
    };
    let next = local_path(Some(next.as_deref().unwrap_or(usual)));
    match state
        .identities
        .begin(provider, kind, next, invitation.as_deref(), &RequestMeta::from_request(extensions, headers))
        .await
    {
        Ok(away) => {
            let mut response = (StatusCode::SEE_OTHER, [(LOCATION, away.address)]).into_response();
            FLOW.set(response.headers_mut(), is_https(state), &away.browser, Some(FLOW_SECONDS));
            response
        }
        Err(fault) => refused(fault, extensions),
    }
}

/// Where the provider sends the browser back to.
async fn callback(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    request: Request,
) -> Response {
    let mut response = arrive(&state, &provider, Fields(query), request.headers(), request.extensions()).await;
    // Whatever came of it, there is no way back to it.
    FLOW.remove(response.headers_mut(), is_https(&state));
    response
}

async fn arrive(
    state: &AppState,
    provider: &str,
    mut query: Fields,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Response {
    if !query.is_unambiguous() {
        return refuse_request(StatusCode::BAD_REQUEST, reason!("address_ambiguous"));
    }
    let Some(session) = extensions.get::<Session>() else {
        return refused(Fault::internal("a request without a session"), extensions);
    };
    let error = query.take("error");
    let callback = Callback {
        state: query.take("state"),
        browser: FLOW.find(headers, is_https(state)).map(str::to_owned),
        code: query.take("code").filter(|_| error.is_none()),
        error,
        issuer: query.take("iss"),
        meta: RequestMeta::from_request(extensions, headers),
    };
    match state.identities.finish(provider, callback, extensions.get::<Caller>(), session).await {
        Ok(next) => (StatusCode::SEE_OTHER, [(LOCATION, next)]).into_response(),
        Err(fault) => refused(fault, extensions),
    }
}

fn refused(fault: Fault, extensions: &Extensions) -> Response {
    let request_id = extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    match fault.into_app_error(&request_id) {
        // Nothing that a person has typed is wrong.
        error @ AppError::Invalid { .. } => refuse_as(StatusCode::BAD_REQUEST, error),
        AppError::Forbidden => {
            refuse_as(StatusCode::FORBIDDEN, AppError::invalid("provider", reason!("account_missing")))
        }
        error => refuse(error),
    }
}

fn is_https(state: &AppState) -> bool {
    state.config.url.as_ref().is_some_and(|url| url.https)
}
