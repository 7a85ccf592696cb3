//! Lets those who must have a second factor, and have none, do nothing but add one.

use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, header::LOCATION},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    envelope::accepts_html,
    refusal::{refuse, refuse_fault},
};
use crate::{
    domain::AppError,
    server::{
        auth::{Caller, Unenrolled},
        state::AppState,
    },
};

/// Where a factor is added.
const SECTION: &str = "/settings#two-step";

/// What is open: adding a factor, proving who one is, going away, and what strangers may do too.
const OPEN: [&str; 42] = [
    "/settings",
    "/settings/confirm",
    "/sign-in",
    "/sign-in/code",
    "/sign-up",
    "/forgot-password",
    "/reset-password",
    "/verify-address",
    "/confirm-address",
    "/privacy",
    "/terms",
    "/api/load_frame",
    "/api/load_settings",
    "/api/load_entrance",
    "/api/load_legal",
    "/api/list_factors",
    "/api/begin_totp",
    "/api/confirm_totp",
    "/api/begin_passkey_registration",
    "/api/finish_passkey_registration",
    "/api/cancel_totp",
    "/api/put_codes_away",
    "/api/rename_factor",
    "/api/confirm_identity",
    "/api/keep_account",
    "/api/find_proof",
    "/api/begin_passkey_confirmation",
    "/api/finish_passkey_confirmation",
    "/api/sign_out",
    "/api/sign_in",
    "/api/sign_up",
    "/api/rate_password",
    "/api/find_sign_in_step",
    "/api/finish_sign_in",
    "/api/begin_passkey_check",
    "/api/finish_passkey_check",
    "/api/begin_passkey_sign_in",
    "/api/finish_passkey_sign_in",
    "/api/request_password_reset",
    "/api/reset_password",
    "/api/verify_address",
    "/api/confirm_address_change",
];

/// The layer: a page leads to the settings, everything else that is not open is refused.
pub(super) async fn ask_for_factor(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let Some(caller) = request.extensions().get::<Caller>() else { return next.run(request).await };
    match state.accounts.must_enrol(caller).await {
        Ok(false) => return next.run(request).await,
        Ok(true) => {}
        Err(fault) => return refuse_fault(fault, request.extensions()),
    }
    request.extensions_mut().insert(Unenrolled);
    let path = request.uri().path();
    // The way to a provider looks for itself whether it is about signing in.
    if OPEN.contains(&path) || path.starts_with("/auth/") {
        return next.run(request).await;
    }
    let is_page = *request.method() == Method::GET && accepts_html(request.headers()) && !path.starts_with("/api/");
    if is_page { (StatusCode::SEE_OTHER, [(LOCATION, SECTION)]).into_response() } else { refuse(AppError::Unenrolled) }
}
