//! Links sent by mail: password resets and address verification. A plain form is redirected to a page that shows the
//! result.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, CheckedLink, LinkPage, MailPurpose};

endpoint!(RequestMail, Anyone);

/// Mails a link if an account has this address: to reset its password, or another one to confirm its address. The response
/// is the same if none has. Redirects to `/check-inbox`, unless the form is on that page: then `again` is set.
#[server(prefix = "/api", endpoint = "request_mail")]
pub async fn request_mail(
    email: String,
    purpose: MailPurpose,
    #[server(default)] again: Option<String>,
) -> Result<(), AppError> {
    let context = RequestContext::of::<RequestMail>().await?;
    let (accounts, meta) = (&context.state.accounts, context.meta());
    let requested = match purpose {
        MailPurpose::Reset => accounts.request_reset(&email, meta).await,
        MailPurpose::SignUp | MailPurpose::Confirmation => accounts.request_confirmation(&email, meta).await,
    };
    let email = context.to_app_error(requested)?;
    context.set_inbox(purpose, email.as_entered());
    match again {
        Some(_) => context.redirect_plain_form("/check-inbox?done=again"),
        None => leptos_axum::redirect("/check-inbox"),
    }
    Ok(())
}

endpoint!(CheckLink, Anyone);

/// Returns whether a link works, without using it.
#[server(prefix = "/api", endpoint = "check_link", input = Json)]
pub async fn check_link(page: LinkPage, token: String) -> Result<CheckedLink, AppError> {
    let context = RequestContext::of::<CheckLink>().await?;
    let works = context.to_app_error(context.state.accounts.check_link(page, &token, context.meta()).await)?;
    Ok(CheckedLink { works, requested_for: context.inbox().map(|mail| mail.email) })
}

endpoint!(ResetPassword, Anyone);

/// Sets a new password with a reset link. Does not sign in.
#[server(prefix = "/api", endpoint = "reset_password")]
pub async fn reset_password(token: String, password: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ResetPassword>().await?;
    context.to_app_error(context.state.accounts.reset_password(&token, password, context.meta()).await)?;
    leptos_axum::redirect("/sign-in?done=reset");
    Ok(())
}

endpoint!(RequestVerification, Person);

/// Mails the caller a link to verify their address.
#[server(prefix = "/api", endpoint = "request_verification")]
pub async fn request_verification() -> Result<(), AppError> {
    let context = RequestContext::of::<RequestVerification>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.request_verification(caller, context.meta()).await)?;
    context.redirect_plain_form("/settings?done=verification#address");
    Ok(())
}

endpoint!(VerifyAddress, Anyone);

/// Verifies an address with the token of a link. Signs in the browser in which the account was created, and redirects to
/// the new chat; redirects other visitors to the sign-in page, which knows the address then.
#[server(prefix = "/api", endpoint = "verify_address")]
pub async fn verify_address(token: String) -> Result<(), AppError> {
    let context = RequestContext::of::<VerifyAddress>().await?;
    let accounts = &context.state.accounts;
    let verified = accounts.verify_address(&token, context.meta()).await;
    let (user, email) = context.to_app_error(verified)?;
    if context.caller().is_ok() {
        context.redirect_plain_form("/verify-address?done=verified");
        return Ok(());
    }
    let session = context.session_state().await?;
    let signed_in = context.to_app_error(accounts.sign_in_after_sign_up(user, context.meta(), &session).await);
    // The address is verified even if this fails.
    if let Ok(Some((step, change))) = signed_in
        && context.change_session(change).await.is_ok()
    {
        context.clear_inbox();
        leptos_axum::redirect(&crate::server::auth::redirect_path(&step, "/"));
    } else {
        context.set_inbox(MailPurpose::SignUp, email.as_entered());
        leptos_axum::redirect("/sign-in?done=verified");
    }
    Ok(())
}

endpoint!(RequestAddressChange, RecentlyAuthenticated);

/// Mails a confirmation link to the caller's requested new address.
#[server(prefix = "/api", endpoint = "request_address_change")]
pub async fn request_address_change(email: String) -> Result<(), AppError> {
    let context = RequestContext::of::<RequestAddressChange>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.accounts.request_address_change(caller, &email, context.meta()).await)?;
    context.redirect_plain_form("/settings?done=address#address");
    Ok(())
}

endpoint!(ConfirmAddressChange, Anyone);

/// Changes an address with the token of a link. The user need not be signed in.
#[server(prefix = "/api", endpoint = "confirm_address_change")]
pub async fn confirm_address_change(token: String) -> Result<(), AppError> {
    let context = RequestContext::of::<ConfirmAddressChange>().await?;
    let caller = context.caller().ok();
    context.to_app_error(context.state.accounts.confirm_address_change(&token, caller, context.meta()).await)?;
    context.redirect_plain_form("/confirm-address?done=changed");
    Ok(())
}
