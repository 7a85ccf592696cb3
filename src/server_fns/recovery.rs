//! Links that come by mail: new passwords, verified addresses. A plain form is led to a page that says what was done.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::AppError;

endpoint!(RequestPasswordReset, Anyone);

/// Mails a link for a new password, where an account has this address. Answers alike where none has.
#[server(prefix = "/api", endpoint = "request_password_reset")]
pub async fn request_password_reset(email: String) -> Result<(), AppError> {
    let context = RequestContext::of::<RequestPasswordReset>().await?;
    context.to_app_error(context.state.accounts.request_reset(&email, context.meta()).await)?;
    context.lead_to("/forgot-password?done=sent");
    Ok(())
}

endpoint!(ResetPassword, Anyone);

/// Chooses another password by a link. Signs nobody in.
#[server(prefix = "/api", endpoint = "reset_password")]
pub async fn reset_password(token: String, password: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ResetPassword>().await?;
    context.to_app_error(context.state.accounts.reset_password(&token, password, context.meta()).await)?;
    leptos_axum::redirect("/sign-in?done=reset");
    Ok(())
}

endpoint!(RequestVerification, Person);

/// Mails the caller a link that shows that their address is theirs.
#[server(prefix = "/api", endpoint = "request_verification")]
pub async fn request_verification() -> Result<(), AppError> {
    let context = RequestContext::of::<RequestVerification>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.request_verification(caller, context.meta()).await)?;
    context.lead_to("/settings?done=verification");
    Ok(())
}

endpoint!(VerifyAddress, Anyone);

/// Follows a link that shows that an address is its owner's.
#[server(prefix = "/api", endpoint = "verify_address")]
pub async fn verify_address(token: String) -> Result<(), AppError> {
    let context = RequestContext::of::<VerifyAddress>().await?;
    context.to_app_error(context.state.accounts.verify_address(&token, context.meta()).await)?;
    context.lead_to("/verify-address?done=verified");
    Ok(())
}

endpoint!(RequestAddressChange, RecentlyAuthenticated);

/// Mails a link to the address that the caller wants to have.
#[server(prefix = "/api", endpoint = "request_address_change")]
pub async fn request_address_change(email: String) -> Result<(), AppError> {
    let context = RequestContext::of::<RequestAddressChange>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.request_address_change(caller, &email, context.meta()).await)?;
    context.lead_to("/settings?done=address");
    Ok(())
}

endpoint!(ConfirmAddressChange, Anyone);

/// Follows a link to a new address. Whoever follows it need not be signed in.
#[server(prefix = "/api", endpoint = "confirm_address_change")]
pub async fn confirm_address_change(token: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ConfirmAddressChange>().await?;
    let caller = context.caller().ok();
    context.to_app_error(context.state.accounts.confirm_address_change(&token, caller, context.meta()).await)?;
    context.lead_to("/confirm-address?done=changed");
    Ok(())
}
