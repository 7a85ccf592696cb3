//! What people see and change of their own accounts. A plain form is led back to the settings, which then say
//! what was done.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{
    ActivityPage, AppError, DataExport, Device, Factors, Identity, IdentityProvider, Profile, Proof, Retention,
    SignInId, TotpEnrolment,
};

endpoint!(ChangeName, Person);

/// Gives the caller another name.
#[server(prefix = "/api", endpoint = "change_name")]
pub async fn change_name(name: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangeName>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.profiles.change_name(caller, &name, context.meta()).await)?;
    context.lead_to("/settings?done=name");
    Ok(())
}

endpoint!(ChangePassword, Person);

/// Gives the caller another password and ends their other sign-ins. `current` is the one until now, if there is one.
#[server(prefix = "/api", endpoint = "change_password")]
pub async fn change_password(#[server(default)] current: String, password: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangePassword>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.change_password(caller, current, password, context.meta()).await)?;
    context.lead_to("/settings?done=password");
    Ok(())
}

endpoint!(ConfirmIdentity, Unenrolled);

/// Proves again who the caller is, by the password and a code of the second factor, as far as they have them, and goes
/// to `next`, which must be a path of this site, or to the settings.
#[server(prefix = "/api", endpoint = "confirm_identity")]
pub async fn confirm_identity(
    #[server(default)] password: String,
    #[server(default)] code: String,
    #[server(default)] next: Option<String>,
) -> Result<(), AppError> {
    let context = RequestContext::of::<ConfirmIdentity>().await?;
    let caller = context.caller()?;
    let (meta, session) = (context.meta(), context.session()?);
    context.to_app_error(context.state.accounts.confirm(caller, password, &code, meta, &session).await)?;
    leptos_axum::redirect(crate::domain::local_path(Some(next.as_deref().unwrap_or("/settings"))));
    Ok(())
}

endpoint!(BeginPasskeyConfirmation, Unenrolled);

/// Begins to prove again who the caller is by a passkey. Gives the options for `navigator.credentials.get`, as JSON.
#[server(prefix = "/api", endpoint = "begin_passkey_confirmation")]
pub async fn begin_passkey_confirmation() -> Result<String, AppError> {
    let context = RequestContext::of::<BeginPasskeyConfirmation>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.begin_passkey_confirmation(caller, context.meta()).await)
}

endpoint!(FinishPasskeyConfirmation, Unenrolled);

/// Proves again who the caller is by a passkey, and goes to `next` or to the settings.
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

endpoint!(FindProof, Unenrolled);

/// How the caller can prove again who they are.
#[server(prefix = "/api", endpoint = "find_proof", input = Json)]
pub async fn find_proof() -> Result<Proof, AppError> {
    let context = RequestContext::of::<FindProof>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.identities.proof(caller).await)
}

/// What the settings show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How the caller can prove again who they are, and whether they must before anything sensitive.
    pub proof: Proof,
    /// Whether the caller's address is known to be theirs.
    pub address_verified: bool,
    /// Whether this installation sends mails.
    pub mails: bool,
    /// The caller's second factors.
    pub factors: Factors,
    /// The authenticator app that they are adding. Only for whoever has proved who they are.
    pub enrolment: Option<TotpEnrolment>,
    /// New recovery codes, until they are put away.
    pub codes: Vec<String>,
    /// Whether passkeys can be used at this installation's address.
    pub can_use_passkeys: bool,
    /// Who the caller is at providers.
    pub identities: Vec<Identity>,
    /// Where people can sign in besides.
    pub providers: Vec<IdentityProvider>,
    /// The caller's sign-ins, last used first.
    pub devices: Vec<Device>,
    /// One page of what was done with their account, newest first.
    pub activity: ActivityPage,
    /// What they chose for their pages.
    pub profile: Profile,
    /// The last download of their data that they asked for, until it is removed.
    pub export: Option<DataExport>,
    /// When their chats are deleted by themselves.
    pub retention: Retention,
}

endpoint!(LoadSettings, Unenrolled);

/// The caller's settings, with the page of their activity that begins at `cursor`.
#[server(prefix = "/api", endpoint = "load_settings", input = Json)]
pub async fn load_settings(#[server(default)] cursor: Option<String>) -> Result<Settings, AppError> {
    let context = RequestContext::of::<LoadSettings>().await?;
    let caller = context.caller()?;
    let crate::server::state::AppState { accounts, factors, identities, profiles, .. } = &context.state;
    let texts = context.language().texts();
    let proof = context.to_app_error(identities.proof(caller).await)?;
    Ok(Settings {
        address_verified: context.to_app_error(accounts.is_verified(caller).await)?,
        mails: accounts.sends_mails(),
        factors: context.to_app_error(factors.list(caller).await)?,
        enrolment: if proof.fresh { context.to_app_error(factors.begun_totp(caller).await)? } else { None },
        codes: context.shown_codes(caller),
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

/// Ends one of the caller's sign-ins.
#[server(prefix = "/api", endpoint = "end_device")]
pub async fn end_device(sign_in: SignInId) -> Result<(), AppError> {
    let context = RequestContext::of::<EndDevice>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.end_device(caller, sign_in, context.meta()).await)?;
    context.lead_to("/settings?done=ended");
    Ok(())
}

endpoint!(EndOtherDevices, Person);

/// Ends all of the caller's sign-ins but this one; says how many.
#[server(prefix = "/api", endpoint = "end_other_devices")]
pub async fn end_other_devices() -> Result<u64, AppError> {
    let context = RequestContext::of::<EndOtherDevices>().await?;
    let caller = context.caller()?;
    let ended = context.to_app_error(context.state.accounts.end_other_devices(caller, context.meta()).await)?;
    context.lead_to("/settings?done=ended");
    Ok(ended)
}

endpoint!(ChangeLocale, Person);

/// Gives the caller's pages another language and another time zone; an empty one is what the browser says.
#[server(prefix = "/api", endpoint = "change_locale")]
pub async fn change_locale(language: String, #[server(default)] time_zone: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangeLocale>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.profiles.change_locale(caller, &language, &time_zone, context.meta()).await)?;
    context.lead_to("/settings?done=locale#locale");
    Ok(())
}

endpoint!(ChangeRetention, Person);

/// Has the caller's chats deleted this many days after their last message, or kept, where `days` is empty.
#[server(prefix = "/api", endpoint = "change_retention")]
pub async fn change_retention(#[server(default)] days: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ChangeRetention>().await?;
    let user = context.user()?;
    context.to_app_error(context.state.privacy.change_retention(user, &days, context.meta()).await)?;
    context.lead_to("/settings?done=retention#retention");
    Ok(())
}

endpoint!(RemovePicture, Person);

/// Removes the caller's picture. Another one comes by a form of its own: `POST /settings/picture`.
#[server(prefix = "/api", endpoint = "remove_picture")]
pub async fn remove_picture() -> Result<(), AppError> {
    let context = RequestContext::of::<RemovePicture>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.profiles.remove_picture(caller, context.meta()).await)?;
    context.lead_to("/settings?done=picture#picture");
    Ok(())
}
