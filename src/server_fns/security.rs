//! The caller's account settings. A plain form is redirected back to the settings, which then show the result.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{
    ActivityPage, AppError, DataExport, Device, Factors, Identity, IdentityProvider, Profile, ReauthMethods, Retention,
    SignInId, TotpEnrolment,
};

endpoint!(ChangeName, Person);

/// Changes the caller's name.
#[server(prefix = "/api", endpoint = "change_name")]
pub async fn change_name(name: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangeName>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.profiles.change_name(caller, &name, context.meta()).await)?;
    context.redirect_plain_form("/settings?done=name");
    Ok(())
}

endpoint!(ChangePassword, Person);

/// Changes the caller's password and ends their other sessions. `current` is the old password, if there is one.
#[server(prefix = "/api", endpoint = "change_password")]
pub async fn change_password(#[server(default)] current: String, password: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangePassword>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.change_password(caller, current, password, context.meta()).await)?;
    context.redirect_plain_form("/settings?done=password");
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
    let (meta, session) = (context.meta(), context.session()?);
    context.to_app_error(context.state.accounts.reauthenticate(caller, password, &code, meta, &session).await)?;
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
    let (meta, session) = (context.meta(), context.session()?);
    context
        .to_app_error(context.state.accounts.finish_passkey_confirmation(caller, &credential, meta, &session).await)?;
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

/// The data of the settings page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The caller's re-authentication methods, and whether re-authentication is required before sensitive actions.
    pub proof: ReauthMethods,
    /// Whether the caller's address is verified.
    pub address_verified: bool,
    /// Whether this installation sends mails.
    pub mails: bool,
    /// The caller's second factors.
    pub factors: Factors,
    /// The pending enrolment of an authenticator app. Only for a recently authenticated caller.
    pub enrolment: Option<TotpEnrolment>,
    /// New recovery codes, until the caller has saved them.
    pub codes: Vec<String>,
    /// Whether passkeys can be used at this installation's URL.
    pub can_use_passkeys: bool,
    /// The caller's linked identities.
    pub identities: Vec<Identity>,
    /// The identity providers for signing in.
    pub providers: Vec<IdentityProvider>,
    /// The caller's sessions, last used first.
    pub devices: Vec<Device>,
    /// One page of the account's activity, newest first.
    pub activity: ActivityPage,
    /// The caller's profile.
    pub profile: Profile,
    /// The caller's last data export, until it is removed.
    pub export: Option<DataExport>,
    /// The caller's retention rule for chats.
    pub retention: Retention,
}

endpoint!(LoadSettings, BeforeEnrolment);

/// Returns the caller's settings, with the page of activity from `cursor` on.
#[server(prefix = "/api", endpoint = "load_settings", input = Json)]
pub async fn load_settings(#[server(default)] cursor: Option<String>) -> Result<Settings, AppError> {
    let context = RequestContext::of::<LoadSettings>().await?;
    let caller = context.caller()?;
    let crate::server::state::AppParts { accounts, factors, identities, profiles, .. } = &*context.state;
    let texts = context.language().texts();
    let proof = context.to_app_error(identities.reauth_methods(caller).await)?;
    Ok(Settings {
        address_verified: context.to_app_error(accounts.is_verified(caller).await)?,
        mails: accounts.sends_mails(),
        factors: context.to_app_error(factors.list(caller).await)?,
        enrolment: if proof.recently_authenticated {
            context.to_app_error(factors.find_pending_totp(caller).await)?
        } else {
            None
        },
        codes: context.recovery_codes(caller),
        can_use_passkeys: factors.can_use_passkeys(),
        identities: context.to_app_error(identities.list(caller.user.id).await)?,
        providers: identities.list_providers(),
        devices: context.to_app_error(accounts.list_devices(caller, texts).await)?,
        activity: context.to_app_error(accounts.list_activity(caller, cursor.as_deref(), texts).await)?,
        profile: context.to_app_error(profiles.profile(caller).await)?,
        export: context.to_app_error(context.state.exports.find(caller).await)?,
        retention: context.to_app_error(context.state.privacy.retention(caller.user.id).await)?,
        proof,
    })
}

endpoint!(EndDevice, Person);

/// Ends one of the caller's sessions.
#[server(prefix = "/api", endpoint = "end_device")]
pub async fn end_device(sign_in: SignInId) -> Result<(), AppError> {
    let context = RequestContext::of::<EndDevice>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.end_device(caller, sign_in, context.meta()).await)?;
    context.redirect_plain_form("/settings?done=ended");
    Ok(())
}

endpoint!(EndOtherDevices, Person);

/// Ends all of the caller's sessions except the current one and returns how many.
#[server(prefix = "/api", endpoint = "end_other_devices")]
pub async fn end_other_devices() -> Result<u64, AppError> {
    let context = RequestContext::of::<EndOtherDevices>().await?;
    let caller = context.caller()?;
    let ended = context.to_app_error(context.state.accounts.end_other_devices(caller, context.meta()).await)?;
    context.redirect_plain_form("/settings?done=ended");
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
    context.redirect_plain_form("/settings?done=retention#retention");
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
