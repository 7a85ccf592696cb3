//! The caller's second factors, and the second step of a sign-in.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, FactorId, Factors, SignInStep, TotpEnrolment};

endpoint!(ListFactors, BeforeEnrolment);

/// Returns the caller's second factors.
#[server(prefix = "/api", endpoint = "list_factors")]
pub async fn list_factors() -> Result<Factors, AppError> {
    let context = RequestContext::of::<ListFactors>().await?;
    context.to_app_error(context.state.factors.list(context.caller()?).await)
}

endpoint!(BeginTotp, RecentlyAuthenticatedBeforeEnrolment);

/// Starts the enrolment of an authenticator app. Its secret is returned only once.
#[server(prefix = "/api", endpoint = "begin_totp")]
pub async fn begin_totp() -> Result<TotpEnrolment, AppError> {
    let context = RequestContext::of::<BeginTotp>().await?;
    let caller = context.caller()?;
    let enrolment = context.to_app_error(context.state.factors.begin_totp(caller).await)?;
    context.redirect_plain_form("/settings/security#two-step");
    Ok(enrolment)
}

endpoint!(CancelTotp, BeforeEnrolment);

/// Cancels the enrolment of an authenticator app.
#[server(prefix = "/api", endpoint = "cancel_totp")]
pub async fn cancel_totp() -> Result<(), AppError> {
    let context = RequestContext::of::<CancelTotp>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.factors.cancel_totp(caller).await)?;
    context.redirect_plain_form("/settings/security#two-step");
    Ok(())
}

endpoint!(ConfirmTotp, RecentlyAuthenticatedBeforeEnrolment);

/// Completes the enrolment with a code of the app. Returns recovery codes if this is the first factor, otherwise none.
#[server(prefix = "/api", endpoint = "confirm_totp")]
pub async fn confirm_totp(code: String) -> Result<Vec<String>, AppError> {
    let context = RequestContext::of::<ConfirmTotp>().await?;
    let caller = context.caller()?;
    let codes = context.to_app_error(context.state.factors.confirm_totp(caller, &code, context.meta()).await)?;
    context.set_recovery_codes(caller, &codes)?;
    context.redirect_plain_form("/settings/security?done=totp#two-step");
    Ok(codes)
}

endpoint!(RemoveFactor, RecentlyAuthenticated);

/// Removes one of the caller's second factors.
#[server(prefix = "/api", endpoint = "remove_factor")]
pub async fn remove_factor(factor: FactorId) -> Result<(), AppError> {
    let context = RequestContext::of::<RemoveFactor>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.factors.remove(caller, factor, context.meta()).await)?;
    context.redirect_plain_form("/settings/security?done=removed#two-step");
    Ok(())
}

endpoint!(RenameFactor, BeforeEnrolment);

/// Renames one of the caller's second factors.
#[server(prefix = "/api", endpoint = "rename_factor")]
pub async fn rename_factor(factor: FactorId, name: String) -> Result<(), AppError> {
    let context = RequestContext::of::<RenameFactor>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.factors.rename(caller, factor, &name, context.meta()).await)?;
    context.redirect_plain_form("/settings/security#passkeys");
    Ok(())
}

endpoint!(NewRecoveryCodes, RecentlyAuthenticated);

/// Replaces the caller's recovery codes. They are returned only once.
#[server(prefix = "/api", endpoint = "new_recovery_codes")]
pub async fn new_recovery_codes() -> Result<Vec<String>, AppError> {
    let context = RequestContext::of::<NewRecoveryCodes>().await?;
    let caller = context.caller()?;
    let codes = context.to_app_error(context.state.factors.new_recovery_codes(caller, context.meta()).await)?;
    context.set_recovery_codes(caller, &codes)?;
    context.redirect_plain_form("/settings/security#two-step");
    Ok(codes)
}

endpoint!(PutCodesAway, BeforeEnrolment);

/// Removes new recovery codes from the page, once the user has saved them.
#[server(prefix = "/api", endpoint = "put_codes_away")]
pub async fn put_codes_away() -> Result<(), AppError> {
    let context = RequestContext::of::<PutCodesAway>().await?;
    context.caller()?;
    context.clear_recovery_codes();
    context.redirect_plain_form("/settings/security?done=kept#two-step");
    Ok(())
}

endpoint!(FindSignInStep, Anyone);

/// Returns the next step of the pending sign-in in this browser; `None` if none is pending.
#[server(prefix = "/api", endpoint = "find_sign_in_step")]
pub async fn find_sign_in_step() -> Result<Option<SignInStep>, AppError> {
    let context = RequestContext::of::<FindSignInStep>().await?;
    context.to_app_error(context.state.accounts.pending_step(&context.session_state().await?).await)
}

endpoint!(FinishSignIn, Anyone);

/// Completes a sign-in with a code of the app or a recovery code, and redirects to `next`, which must be a path of this
/// site, or to the new chat.
#[server(prefix = "/api", endpoint = "finish_sign_in")]
pub async fn finish_sign_in(code: String, #[server(default)] next: Option<String>) -> Result<(), AppError> {
    let context = RequestContext::of::<FinishSignIn>().await?;
    let session = context.session_state().await?;
    let finished = context.state.accounts.finish_sign_in(&code, context.meta(), &session).await;
    context.change_session(context.to_app_error(finished)?).await?;
    leptos_axum::redirect(crate::domain::local_path(next.as_deref()));
    Ok(())
}

endpoint!(BeginPasskeyRegistration, RecentlyAuthenticatedBeforeEnrolment);

/// Starts the registration of a passkey. Returns the options for `navigator.credentials.create`, as JSON.
#[server(prefix = "/api", endpoint = "begin_passkey_registration")]
pub async fn begin_passkey_registration() -> Result<String, AppError> {
    let context = RequestContext::of::<BeginPasskeyRegistration>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.factors.begin_passkey_registration(caller).await)
}

endpoint!(FinishPasskeyRegistration, RecentlyAuthenticatedBeforeEnrolment);

/// Adds the passkey that the browser created. Returns recovery codes if this is the first factor, otherwise none.
#[server(prefix = "/api", endpoint = "finish_passkey_registration", input = Json)]
pub async fn finish_passkey_registration(name: String, credential: String) -> Result<Vec<String>, AppError> {
    let context = RequestContext::of::<FinishPasskeyRegistration>().await?;
    let caller = context.caller()?;
    let codes = context.to_app_error(
        context.state.factors.finish_passkey_registration(caller, &name, &credential, context.meta()).await,
    )?;
    context.set_recovery_codes(caller, &codes)?;
    context.set_passkey_used();
    Ok(codes)
}

endpoint!(BeginPasskeyCheck, Anyone);

/// Starts the second step of a sign-in with a passkey. Returns the options for `navigator.credentials.get`, as JSON.
#[server(prefix = "/api", endpoint = "begin_passkey_check")]
pub async fn begin_passkey_check() -> Result<String, AppError> {
    let context = RequestContext::of::<BeginPasskeyCheck>().await?;
    context.to_app_error(context.state.accounts.begin_passkey_check(&context.session_state().await?).await)
}

endpoint!(FinishPasskeyCheck, Anyone);

/// Completes a sign-in with a passkey and redirects to `next` or to the new chat.
#[server(prefix = "/api", endpoint = "finish_passkey_check", input = Json)]
pub async fn finish_passkey_check(credential: String, next: Option<String>) -> Result<(), AppError> {
    let context = RequestContext::of::<FinishPasskeyCheck>().await?;
    let session = context.session_state().await?;
    let finished = context.state.accounts.finish_passkey_check(&credential, context.meta(), &session).await;
    context.change_session(context.to_app_error(finished)?).await?;
    leptos_axum::redirect(crate::domain::local_path(next.as_deref()));
    Ok(())
}

endpoint!(BeginPasskeySignIn, Anyone);

/// Starts a passwordless sign-in with a passkey. Returns the options for `navigator.credentials.get`, as JSON.
#[server(prefix = "/api", endpoint = "begin_passkey_sign_in")]
pub async fn begin_passkey_sign_in() -> Result<String, AppError> {
    let context = RequestContext::of::<BeginPasskeySignIn>().await?;
    let begun = context.state.accounts.begin_passkey_sign_in(context.meta()).await;
    let (options, change) = context.to_app_error(begun)?;
    context.change_session(change).await?;
    Ok(options)
}

endpoint!(FinishPasskeySignIn, Anyone);

/// Completes a passwordless sign-in with a passkey and redirects to `next` or to the new chat.
#[server(prefix = "/api", endpoint = "finish_passkey_sign_in", input = Json)]
pub async fn finish_passkey_sign_in(credential: String, remember: bool, next: Option<String>) -> Result<(), AppError> {
    let context = RequestContext::of::<FinishPasskeySignIn>().await?;
    let (accounts, session) = (&context.state.accounts, context.session_state().await?);
    let finished = accounts.finish_passkey_sign_in(&credential, remember, context.meta(), &session).await;
    context.change_session(context.to_app_error(finished)?).await?;
    context.set_passkey_used();
    leptos_axum::redirect(crate::domain::local_path(next.as_deref()));
    Ok(())
}
