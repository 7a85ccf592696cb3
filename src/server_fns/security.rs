//! What people see and change of their own accounts. A plain form is led back to the settings, which then say
//! what was done.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

use crate::domain::{
    ActivityPage, AppError, DataExport, Device, Factors, Identity, IdentityProvider, Profile, Proof, Retention,
    SignInId, TotpEnrolment,
};

/// Gives the caller another name.
#[server(prefix = "/api", endpoint = "change_name")]
pub async fn change_name(name: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.profiles.change_name(&caller, &name, &door.meta()).await)?;
    door.lead_to("/settings?done=name");
    Ok(())
}

/// Gives the caller another password and ends their other sign-ins. `current` is the one until now, if there is one.
#[server(prefix = "/api", endpoint = "change_password")]
pub async fn change_password(#[server(default)] current: String, password: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.accounts.change_password(&caller, current, password, &door.meta()).await)?;
    door.lead_to("/settings?done=password");
    Ok(())
}

/// Proves again who the caller is, by the password and a code of the second factor, as far as they have them, and goes
/// to `next`, which must be a path of this site, or to the settings.
#[server(prefix = "/api", endpoint = "confirm_identity")]
pub async fn confirm_identity(
    #[server(default)] password: String,
    #[server(default)] code: String,
    #[server(default)] next: Option<String>,
) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    let (meta, session) = (door.meta(), door.session()?);
    door.answer(door.state.accounts.confirm(&caller, password, &code, &meta, &session).await)?;
    leptos_axum::redirect(super::door::local_path(Some(next.as_deref().unwrap_or("/settings"))));
    Ok(())
}

/// Begins to prove again who the caller is by a passkey. Gives the options for `navigator.credentials.get`, as JSON.
#[server(prefix = "/api", endpoint = "begin_passkey_confirmation")]
pub async fn begin_passkey_confirmation() -> Result<String, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.accounts.begin_passkey_confirmation(&caller, &door.meta()).await)
}

/// Proves again who the caller is by a passkey, and goes to `next` or to the settings.
#[server(prefix = "/api", endpoint = "finish_passkey_confirmation", input = Json)]
pub async fn finish_passkey_confirmation(credential: String, next: Option<String>) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    let (meta, session) = (door.meta(), door.session()?);
    door.answer(door.state.accounts.finish_passkey_confirmation(&caller, &credential, &meta, &session).await)?;
    leptos_axum::redirect(super::door::local_path(Some(next.as_deref().unwrap_or("/settings"))));
    Ok(())
}

/// How the caller can prove again who they are.
#[server(prefix = "/api", endpoint = "find_proof", input = Json)]
pub async fn find_proof() -> Result<Proof, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.identities.proof(&caller).await)
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

/// The caller's settings, with the page of their activity that begins at `cursor`.
#[server(prefix = "/api", endpoint = "load_settings", input = Json)]
pub async fn load_settings(#[server(default)] cursor: Option<String>) -> Result<Settings, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    let crate::server::state::AppState { accounts, factors, identities, profiles, .. } = &door.state;
    let proof = door.answer(identities.proof(&caller).await)?;
    Ok(Settings {
        address_verified: door.answer(accounts.is_verified(&caller).await)?,
        mails: accounts.sends_mails(),
        factors: door.answer(factors.list(&caller).await)?,
        enrolment: if proof.fresh { door.answer(factors.begun_totp(&caller).await)? } else { None },
        codes: door.shown_codes(&caller),
        can_use_passkeys: factors.can_use_passkeys(),
        identities: door.answer(identities.list(caller.user.id).await)?,
        providers: identities.list_providers(),
        devices: door.answer(accounts.list_devices(&caller).await)?,
        activity: door.answer(accounts.list_activity(&caller, cursor.as_deref()).await)?,
        profile: door.answer(profiles.profile(&caller).await)?,
        export: door.answer(door.state.exports.find(&caller).await)?,
        retention: door.answer(door.state.privacy.retention(caller.user.id).await)?,
        proof,
    })
}

/// Ends one of the caller's sign-ins.
#[server(prefix = "/api", endpoint = "end_device")]
pub async fn end_device(sign_in: SignInId) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.accounts.end_device(&caller, sign_in, &door.meta()).await)?;
    door.lead_to("/settings?done=ended");
    Ok(())
}

/// Ends all of the caller's sign-ins but this one; says how many.
#[server(prefix = "/api", endpoint = "end_other_devices")]
pub async fn end_other_devices() -> Result<u64, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    let ended = door.answer(door.state.accounts.end_other_devices(&caller, &door.meta()).await)?;
    door.lead_to("/settings?done=ended");
    Ok(ended)
}

/// Gives the caller's pages another language and another time zone; an empty one is what the browser says.
#[server(prefix = "/api", endpoint = "change_locale")]
pub async fn change_locale(language: String, #[server(default)] time_zone: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.profiles.change_locale(&caller, &language, &time_zone, &door.meta()).await)?;
    door.lead_to("/settings?done=locale#locale");
    Ok(())
}

/// Has the caller's chats deleted this many days after their last message, or kept, where `days` is empty.
#[server(prefix = "/api", endpoint = "change_retention")]
pub async fn change_retention(#[server(default)] days: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let user = door.user()?;
    door.answer(door.state.privacy.change_retention(user, &days, &door.meta()).await)?;
    door.lead_to("/settings?done=retention#retention");
    Ok(())
}

/// Removes the caller's picture. Another one comes by a form of its own: `POST /settings/picture`.
#[server(prefix = "/api", endpoint = "remove_picture")]
pub async fn remove_picture() -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.profiles.remove_picture(&caller, &door.meta()).await)?;
    door.lead_to("/settings?done=picture#picture");
    Ok(())
}
