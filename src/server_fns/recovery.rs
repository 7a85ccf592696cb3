//! Links that come by mail: new passwords, verified addresses. A plain form is led to a page that says what was done.

use leptos::prelude::*;

use crate::domain::AppError;

/// Mails a link for a new password, where an account has this address. Answers alike where none has.
#[server(prefix = "/api", endpoint = "request_password_reset")]
pub async fn request_password_reset(email: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.accounts.request_reset(&email, &door.meta()).await)?;
    door.lead_to("/forgot-password?done=sent");
    Ok(())
}

/// Chooses another password by a link. Signs nobody in.
#[server(prefix = "/api", endpoint = "reset_password")]
pub async fn reset_password(token: String, password: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.accounts.reset_password(&token, password, &door.meta()).await)?;
    leptos_axum::redirect("/sign-in?done=reset");
    Ok(())
}

/// Mails the caller a link that shows that their address is theirs.
#[server(prefix = "/api", endpoint = "request_verification")]
pub async fn request_verification() -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.accounts.request_verification(&caller, &door.meta()).await)?;
    door.lead_to("/settings?done=verification");
    Ok(())
}

/// Follows a link that shows that an address is its owner's.
#[server(prefix = "/api", endpoint = "verify_address")]
pub async fn verify_address(token: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.accounts.verify_address(&token, &door.meta()).await)?;
    door.lead_to("/verify-address?done=verified");
    Ok(())
}

/// Mails a link to the address that the caller wants to have.
#[server(prefix = "/api", endpoint = "request_address_change")]
pub async fn request_address_change(email: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_caller()?;
    door.answer(door.state.accounts.request_address_change(&caller, &email, &door.meta()).await)?;
    door.lead_to("/settings?done=address");
    Ok(())
}

/// Follows a link to a new address. Whoever follows it need not be signed in.
#[server(prefix = "/api", endpoint = "confirm_address_change")]
pub async fn confirm_address_change(token: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller().ok();
    door.answer(door.state.accounts.confirm_address_change(&token, caller.as_ref(), &door.meta()).await)?;
    door.lead_to("/confirm-address?done=changed");
    Ok(())
}
