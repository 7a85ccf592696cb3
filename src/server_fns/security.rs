//! What people see and change of their own accounts. A plain form is led back to the settings, which then say
//! what was done.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use server_fn::codec::Json;

use crate::domain::{ActivityPage, AppError, Device, Language, SignInId};

/// Gives the caller another name.
#[server(prefix = "/api", endpoint = "change_name")]
pub async fn change_name(name: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.accounts.change_name(&caller, &name, &door.origin()).await)?;
    door.lead_to("/settings?done=name");
    Ok(())
}

/// Gives the caller another password and ends their other sign-ins. `current` is the one until now.
#[server(prefix = "/api", endpoint = "change_password")]
pub async fn change_password(current: String, password: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.accounts.change_password(&caller, current, password, &door.origin()).await)?;
    door.lead_to("/settings?done=password");
    Ok(())
}

/// Proves again who the caller is.
#[server(prefix = "/api", endpoint = "confirm_identity")]
pub async fn confirm_identity(password: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    let (origin, session) = (door.origin(), door.session()?);
    door.answer(door.state.accounts.confirm(&caller, password, &origin, &session).await)?;
    door.lead_to("/settings?done=confirmed");
    Ok(())
}

/// What the settings show beside their forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The caller's sign-ins, last used first.
    pub devices: Vec<Device>,
    /// One page of what was done with their account, newest first.
    pub activity: ActivityPage,
    /// What they chose for their pages.
    pub profile: Profile,
}

/// The caller's settings, with the page of their activity that begins at `cursor`.
#[server(prefix = "/api", endpoint = "load_settings", input = Json)]
pub async fn load_settings(#[server(default)] cursor: Option<String>) -> Result<Settings, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    let accounts = &door.state.accounts;
    Ok(Settings {
        devices: door.answer(accounts.list_devices(&caller).await)?,
        activity: door.answer(accounts.list_activity(&caller, cursor.as_deref()).await)?,
        profile: Profile { language: door.answer(accounts.language(caller.user.id).await)? },
    })
}

/// Ends one of the caller's sign-ins.
#[server(prefix = "/api", endpoint = "end_device")]
pub async fn end_device(sign_in: SignInId) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.accounts.end_device(&caller, sign_in, &door.origin()).await)?;
    door.lead_to("/settings?done=ended");
    Ok(())
}

/// Ends all of the caller's sign-ins but this one; says how many.
#[server(prefix = "/api", endpoint = "end_other_devices")]
pub async fn end_other_devices() -> Result<u64, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    let ended = door.answer(door.state.accounts.end_other_devices(&caller, &door.origin()).await)?;
    door.lead_to("/settings?done=ended");
    Ok(ended)
}

/// What the caller chose for their pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// How dates and times are written.
    pub language: Language,
}

/// Gives the caller's pages another language, by its tag.
#[server(prefix = "/api", endpoint = "change_language")]
pub async fn change_language(language: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.accounts.change_language(&caller, &language, &door.origin()).await)?;
    door.lead_to("/settings?done=language");
    Ok(())
}
