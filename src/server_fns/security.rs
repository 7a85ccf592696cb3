//! The caller's account settings. A plain form is redirected back to the settings, which then show the result.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, ReauthMethods, Settings, SettingsPart, SignInId};

endpoint!(ChangeName, Person);

/// Changes the caller's name.
#[server(prefix = "/api", endpoint = "change_name")]
pub async fn change_name(name: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangeName>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.profiles.change_name(caller, &name, context.meta()).await)?;
    context.redirect_plain_form("/settings?done=name#profile");
    Ok(())
}

endpoint!(ChangePassword, Person);

/// Changes the caller's password and ends their other sessions. `current` is the old password, if there is one.
#[server(prefix = "/api", endpoint = "change_password")]
pub async fn change_password(#[server(default)] current: String, password: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangePassword>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.change_password(caller, current, password, context.meta()).await)?;
    context.redirect_plain_form("/settings/security?done=password#password-section");
    Ok(())
}

endpoint!(ConfirmIdentity, BeforeEnrolment);

/// Re-authenticates the caller with the password and a code of the second factor, as far as they have them, and
/// redirects to `next`, which must be a path of this site, or to the settings.
#[server(prefix = "/api", endpoint = "confirm_identity")]
pub async fn confirm_identity(
    #[server(default)] password: String,
    #[server(default)] code: String,
    #[server(default)] next: Option<String>,
) -> Result<(), AppError> {
    let context = RequestContext::of::<ConfirmIdentity>().await?;
    let caller = context.caller()?;
    let accounts = &context.state.accounts;
    let change = context.to_app_error(accounts.reauthenticate(caller, password, &code, context.meta()).await)?;
    context.change_session(change).await?;
    leptos_axum::redirect(crate::domain::local_path(Some(next.as_deref().unwrap_or("/settings"))));
    Ok(())
}

endpoint!(BeginPasskeyConfirmation, BeforeEnrolment);

/// Starts the re-authentication with a passkey. Returns the options for `navigator.credentials.get`, as JSON.
#[server(prefix = "/api", endpoint = "begin_passkey_confirmation")]
pub async fn begin_passkey_confirmation() -> Result<String, AppError> {
    let context = RequestContext::of::<BeginPasskeyConfirmation>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.begin_passkey_confirmation(caller, context.meta()).await)
}

endpoint!(FinishPasskeyConfirmation, BeforeEnrolment);

/// Completes the re-authentication with a passkey and redirects to `next` or to the settings.
#[server(prefix = "/api", endpoint = "finish_passkey_confirmation", input = Json)]
pub async fn finish_passkey_confirmation(credential: String, next: Option<String>) -> Result<(), AppError> {
    let context = RequestContext::of::<FinishPasskeyConfirmation>().await?;
    let caller = context.caller()?;
    let accounts = &context.state.accounts;
    let confirmed = accounts.finish_passkey_confirmation(caller, &credential, context.meta()).await;
    context.change_session(context.to_app_error(confirmed)?).await?;
    leptos_axum::redirect(crate::domain::local_path(Some(next.as_deref().unwrap_or("/settings"))));
    Ok(())
}

endpoint!(FindProof, BeforeEnrolment);

/// Returns the caller's re-authentication methods.
#[server(prefix = "/api", endpoint = "find_proof", input = Json)]
pub async fn find_proof() -> Result<ReauthMethods, AppError> {
    let context = RequestContext::of::<FindProof>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.identities.reauth_methods(caller).await)
}

endpoint!(LoadSettings, BeforeEnrolment);

/// Returns what one of the caller's settings pages shows, with the page of activity from `cursor` on.
#[server(prefix = "/api", endpoint = "load_settings", input = Json)]
pub async fn load_settings(
    #[server(default)] part: SettingsPart,
    #[server(default)] cursor: Option<String>,
) -> Result<Settings, AppError> {
    let context = RequestContext::of::<LoadSettings>().await?;
    let caller = context.caller()?;
    let (language, codes) = (context.language(), context.recovery_codes(caller));
    let loaded = context.state.page_data.load_settings(caller, part, cursor.as_deref(), codes, language).await;
    context.to_app_error(loaded)
}

endpoint!(EndDevice, Person);

/// Ends one of the caller's sessions.
#[server(prefix = "/api", endpoint = "end_device")]
pub async fn end_device(sign_in: SignInId) -> Result<(), AppError> {
    let context = RequestContext::of::<EndDevice>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.end_device(caller, sign_in, context.meta()).await)?;
    context.redirect_plain_form("/settings/security?done=ended#devices");
    Ok(())
}

endpoint!(EndOtherDevices, Person);

/// Ends all of the caller's sessions except the current one and returns how many.
#[server(prefix = "/api", endpoint = "end_other_devices")]
pub async fn end_other_devices() -> Result<u64, AppError> {
    let context = RequestContext::of::<EndOtherDevices>().await?;
    let caller = context.caller()?;
    let ended = context.to_app_error(context.state.accounts.end_other_devices(caller, context.meta()).await)?;
    context.redirect_plain_form("/settings/security?done=ended#devices");
    Ok(ended)
}

endpoint!(ChangeLocale, Person);

/// Changes the language and the time zone of the caller; empty values follow the browser.
#[server(prefix = "/api", endpoint = "change_locale")]
pub async fn change_locale(language: String, #[server(default)] time_zone: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangeLocale>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.profiles.change_locale(caller, &language, &time_zone, context.meta()).await)?;
    context.redirect_plain_form("/settings?done=locale#locale");
    Ok(())
}

endpoint!(ChangeRetention, Person);

/// Sets after how many days without a message the caller's chats are deleted; an empty `days` keeps them.
#[server(prefix = "/api", endpoint = "change_retention")]
pub async fn change_retention(#[server(default)] days: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangeRetention>().await?;
    let user = context.user()?;
    context.to_app_error(context.state.privacy.change_retention(user, &days, context.meta()).await)?;
    context.redirect_plain_form("/settings/data?done=retention#retention");
    Ok(())
}

endpoint!(RemovePicture, Person);

/// Removes the caller's picture. Uploads use a form of their own: `POST /settings/picture`.
#[server(prefix = "/api", endpoint = "remove_picture")]
pub async fn remove_picture() -> Result<(), AppError> {
    let context = RequestContext::of::<RemovePicture>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.profiles.remove_picture(caller, context.meta()).await)?;
    context.redirect_plain_form("/settings?done=picture#picture");
    Ok(())
}
