//! Second factors: what the caller has of them, and the second step of a sign-in.

use leptos::prelude::*;
use server_fn::codec::Json;

use crate::domain::{AppError, FactorId, Factors, SignInStep, TotpEnrolment};

/// The caller's second factors.
#[server(prefix = "/api", endpoint = "list_factors")]
pub async fn list_factors() -> Result<Factors, AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.factors.list(&door.caller()?).await)
}

/// Begins to add an authenticator app. What it gives is given once.
#[server(prefix = "/api", endpoint = "begin_totp")]
pub async fn begin_totp() -> Result<TotpEnrolment, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_caller()?;
    let enrolment = door.answer(door.state.factors.begin_totp(&caller).await)?;
    door.lead_to("/settings#two-step");
    Ok(enrolment)
}

/// Forgets an authenticator app that was begun and not confirmed.
#[server(prefix = "/api", endpoint = "cancel_totp")]
pub async fn cancel_totp() -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.factors.cancel_totp(&caller).await)?;
    door.lead_to("/settings#two-step");
    Ok(())
}

/// Confirms the app by a code of it. Gives recovery codes with the first factor, else none.
#[server(prefix = "/api", endpoint = "confirm_totp")]
pub async fn confirm_totp(code: String) -> Result<Vec<String>, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_caller()?;
    let codes = door.answer(door.state.factors.confirm_totp(&caller, &code, &door.meta()).await)?;
    door.show_codes(&caller, &codes)?;
    door.lead_to("/settings?done=totp#two-step");
    Ok(codes)
}

/// Removes a second factor of the caller's.
#[server(prefix = "/api", endpoint = "remove_factor")]
pub async fn remove_factor(factor: FactorId) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_caller()?;
    door.answer(door.state.factors.remove(&caller, factor, &door.meta()).await)?;
    door.lead_to("/settings?done=removed#two-step");
    Ok(())
}

/// Gives a second factor of the caller's another name.
#[server(prefix = "/api", endpoint = "rename_factor")]
pub async fn rename_factor(factor: FactorId, name: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.factors.rename(&caller, factor, &name, &door.meta()).await)?;
    door.lead_to("/settings#passkeys");
    Ok(())
}

/// Replaces the caller's recovery codes. What it gives is given once.
#[server(prefix = "/api", endpoint = "new_recovery_codes")]
pub async fn new_recovery_codes() -> Result<Vec<String>, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_caller()?;
    let codes = door.answer(door.state.factors.new_recovery_codes(&caller, &door.meta()).await)?;
    door.show_codes(&caller, &codes)?;
    door.lead_to("/settings#two-step");
    Ok(codes)
}

/// Takes new recovery codes off the page, once the person has kept them.
#[server(prefix = "/api", endpoint = "put_codes_away")]
pub async fn put_codes_away() -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    door.caller()?;
    door.put_codes_away();
    door.lead_to("/settings?done=kept#two-step");
    Ok(())
}

/// What is still to be shown for the sign-in that is pending in this browser; `None` where none is.
#[server(prefix = "/api", endpoint = "find_sign_in_step")]
pub async fn find_sign_in_step() -> Result<Option<SignInStep>, AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.accounts.pending_step(&door.session()?).await)
}

/// Finishes a sign-in with a code of the app or a recovery code and goes to `next`, which must be a path of this
/// site, or to the new chat.
#[server(prefix = "/api", endpoint = "finish_sign_in")]
pub async fn finish_sign_in(code: String, #[server(default)] next: Option<String>) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let (meta, session) = (door.meta(), door.session()?);
    door.answer(door.state.accounts.finish_sign_in(&code, &meta, &session).await)?;
    leptos_axum::redirect(super::door::local_path(next.as_deref()));
    Ok(())
}

/// Begins to add a passkey. Gives the options for `navigator.credentials.create`, as JSON.
#[server(prefix = "/api", endpoint = "begin_passkey_registration")]
pub async fn begin_passkey_registration() -> Result<String, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_caller()?;
    door.answer(door.state.factors.begin_passkey_registration(&caller).await)
}

/// Adds the passkey that the browser made. Gives recovery codes with the first factor, else none.
#[server(prefix = "/api", endpoint = "finish_passkey_registration", input = Json)]
pub async fn finish_passkey_registration(name: String, credential: String) -> Result<Vec<String>, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_caller()?;
    let codes =
        door.answer(door.state.factors.finish_passkey_registration(&caller, &name, &credential, &door.meta()).await)?;
    door.show_codes(&caller, &codes)?;
    Ok(codes)
}

/// Begins the second step of a sign-in with a passkey. Gives the options for `navigator.credentials.get`, as JSON.
#[server(prefix = "/api", endpoint = "begin_passkey_check")]
pub async fn begin_passkey_check() -> Result<String, AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.accounts.begin_passkey_check(&door.session()?).await)
}

/// Finishes a sign-in with a passkey and goes to `next` or to the new chat.
#[server(prefix = "/api", endpoint = "finish_passkey_check", input = Json)]
pub async fn finish_passkey_check(credential: String, next: Option<String>) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let (meta, session) = (door.meta(), door.session()?);
    door.answer(door.state.accounts.finish_passkey_check(&credential, &meta, &session).await)?;
    leptos_axum::redirect(super::door::local_path(next.as_deref()));
    Ok(())
}

/// Begins a sign-in with nothing but a passkey. Gives the options for `navigator.credentials.get`, as JSON.
#[server(prefix = "/api", endpoint = "begin_passkey_sign_in")]
pub async fn begin_passkey_sign_in() -> Result<String, AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.accounts.begin_passkey_sign_in(&door.meta(), &door.session()?).await)
}

/// Signs in with nothing but a passkey and goes to `next` or to the new chat.
#[server(prefix = "/api", endpoint = "finish_passkey_sign_in", input = Json)]
pub async fn finish_passkey_sign_in(credential: String, remember: bool, next: Option<String>) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let (meta, session) = (door.meta(), door.session()?);
    let accounts = &door.state.accounts;
    door.answer(accounts.finish_passkey_sign_in(&credential, remember, &meta, &session).await)?;
    leptos_axum::redirect(super::door::local_path(next.as_deref()));
    Ok(())
}
