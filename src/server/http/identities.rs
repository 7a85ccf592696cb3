//! `/auth`: the redirect to an identity provider and the callback from it.

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
        auth::{Callback, Caller, FLOW_SECONDS, FlowKind, SessionState},
        cookies::FLOW,
        fault::Fault,
        state::AppState,
        telemetry::RequestId,
    },
};

/// The default redirect target after linking and confirming.
const SETTINGS: &str = "/settings/security";

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/auth/{provider}/start", post(start)).route("/auth/{provider}/callback", get(callback))
}

/// The fields of a form or query. A repeated field is rejected.
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

/// Redirects the browser to a provider. The field `purpose` is `sign_in`, `link` or `confirm`; `next` is a path of this
/// site; `invitation` is an invitation token.
async fn start(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let mut response = match form {
        Ok(Form(fields)) => redirect_to_provider(&state, &provider, &extensions, &headers, Fields(fields)).await,
        Err(rejection) => refuse_request(rejection.status(), reason!("form_expected")),
    };
    if accepts_html(&headers) {
        show_as_page(&mut response, language_in(&extensions));
    }
    response
}

async fn redirect_to_provider(
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
    let (kind, default_next) = match (purpose.as_deref(), caller) {
        (None | Some("sign_in"), _) => (FlowKind::SignIn, "/"),
        (Some("link"), Some(caller)) if caller.must_enrol => {
            return refuse(AppError::MfaEnrolmentRequired);
        }
        (Some("link"), Some(caller)) => (FlowKind::Link(caller), SETTINGS),
        (Some("confirm"), Some(caller)) => (FlowKind::Confirm(caller), SETTINGS),
        (Some("link" | "confirm"), None) => return refuse(AppError::Unauthenticated),
        (Some(_), _) => return refuse(AppError::invalid("purpose", reason!("purpose_unknown"))),
    };
    let next = local_path(Some(next.as_deref().unwrap_or(default_next)));
    match state
        .identities
        .begin_flow(provider, kind, next, invitation.as_deref(), &RequestMeta::from_request(extensions, headers))
        .await
    {
        Ok(redirect) => {
            let mut response = (StatusCode::SEE_OTHER, [(LOCATION, redirect.url)]).into_response();
            FLOW.set(response.headers_mut(), state.config.is_https(), &redirect.browser_secret, Some(FLOW_SECONDS));
            response
        }
        Err(fault) => refuse_flow(fault, extensions),
    }
}

/// The redirect URI to which the provider sends the browser back.
async fn callback(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    request: Request,
) -> Response {
    let mut response = finish_flow(&state, &provider, Fields(query), request.headers(), request.extensions()).await;
    // Each flow can be used once, whatever its outcome.
    FLOW.remove(response.headers_mut(), state.config.is_https());
    response
}

async fn finish_flow(
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
        return refuse_flow(Fault::internal("a request without a session"), extensions);
    };
    let error = query.take("error");
    let callback = Callback {
        state: query.take("state"),
        browser_secret: FLOW.find(headers, state.config.is_https()).map(str::to_owned),
        code: query.take("code").filter(|_| error.is_none()),
        error,
        issuer: query.take("iss"),
        meta: RequestMeta::from_request(extensions, headers),
    };
    match change_session(state, provider, callback, extensions.get::<Caller>(), session).await {
        Ok(next) => (StatusCode::SEE_OTHER, [(LOCATION, next)]).into_response(),
        Err(fault) => refuse_flow(fault, extensions),
    }
}

async fn change_session(
    state: &AppState,
    provider: &str,
    callback: Callback,
    caller: Option<&Caller>,
    session: &Session,
) -> Result<String, Fault> {
    let before = SessionState::read(session).await?;
    let (next, change) = state.identities.finish_flow(provider, callback, caller, &before).await?;
    if let Some(change) = change {
        change.apply(session).await?;
    }
    Ok(next)
}

fn refuse_flow(fault: Fault, extensions: &Extensions) -> Response {
    let request_id = extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    match fault.into_app_error(&request_id) {
        // The error does not concern a form field of the user, so it is 400 and not 422.
        error @ AppError::Invalid { .. } => refuse_as(StatusCode::BAD_REQUEST, error),
        AppError::Forbidden => {
            refuse_as(StatusCode::FORBIDDEN, AppError::invalid("provider", reason!("account_missing")))
        }
        error => refuse(error),
    }
}
