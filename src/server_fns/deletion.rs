//! The end of the caller's own account.

use leptos::prelude::*;

use crate::domain::{AppError, Timestamp};

/// Has the caller's account deleted in a day. They type its address, so that nobody does it by accident. Gives when.
#[server(prefix = "/api", endpoint = "delete_account")]
pub async fn delete_account(email: String) -> Result<Timestamp, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_caller()?;
    let due = door.answer(door.state.privacy.ask_deletion(&caller, &email, &door.meta()).await)?;
    door.lead_to("/settings?done=deletion#delete");
    Ok(due)
}

/// The caller keeps their account after all.
#[server(prefix = "/api", endpoint = "keep_account")]
pub async fn keep_account() -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.privacy.keep_account(&caller, &door.meta()).await)
}
