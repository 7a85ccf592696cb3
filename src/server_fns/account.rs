//! Sign-up, sign-in and sign-out.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, AuthPageData, PasswordRating, SignInStep};
#[cfg(feature = "ssr")]
use crate::{domain::MailPurpose, server::auth::SessionChange};

endpoint!(LoadEntrance, Anyone);

/// Returns the data of the sign-in and sign-up pages. `invitation` is an invitation token.
#[server(prefix = "/api", endpoint = "load_entrance")]
pub async fn load_entrance(#[server(default)] invitation: Option<String>) -> Result<AuthPageData, AppError> {
    let context = RequestContext::of::<LoadEntrance>().await?;
    let (caller, host) = (context.caller().ok(), context.host());
    let page_data = &context.state.page_data;
    let loaded = page_data.load_auth_page(caller, host, invitation.as_deref(), context.language()).await;
    Ok(context.with_cookies(context.to_app_error(loaded)?))
}

endpoint!(SignUp, Anyone);

/// Creates an account, signs it in and redirects to the new chat; to `/check-inbox` if the address must be verified
/// first. `invitation` is an invitation token.
#[server(prefix = "/api", endpoint = "sign_up")]
pub async fn sign_up(
    email: String,
    name: String,
    password: String,
    #[server(default)] remember: Option<String>,
    #[server(default)] invitation: Option<String>,
) -> Result<(), AppError> {
    let context = RequestContext::of::<SignUp>().await?;
    let credentials = credentials(&context, email.clone(), password, remember.is_some());
    let account = crate::server::auth::NewAccount { name, invitation, credentials };
    let session = context.session_state().await?;
    let change = context.to_app_error(context.state.accounts.sign_up(account, &session).await)?;
    let must_verify = matches!(change, SessionChange::SignedUp(_));
    // Someone who is signed in stays so, for as long as before.
    if !must_verify || context.caller().is_err() {
        context.change_session(change).await?;
    }
    if must_verify {
        context.set_inbox(MailPurpose::SignUp, &email);
    }
    leptos_axum::redirect(if must_verify { "/check-inbox" } else { "/" });
    Ok(())
}

endpoint!(SignIn, Anyone);

/// Signs in and redirects to `next`, which must be a path of this site, or to the new chat. If a second factor is
/// required, redirects to `/sign-in/code` with the same `next` instead.
#[server(prefix = "/api", endpoint = "sign_in")]
pub async fn sign_in(
    email: String,
    password: String,
    #[server(default)] remember: Option<String>,
    #[server(default)] next: Option<String>,
) -> Result<SignInStep, AppError> {
    let context = RequestContext::of::<SignIn>().await?;
    let credentials = credentials(&context, email.clone(), password, remember.is_some());
    let session = context.session_state().await?;
    let signed_in = context.to_app_error(context.state.accounts.sign_in(credentials, &session).await);
    if signed_in.as_ref().is_err_and(AppError::is_unverified) {
        // For the notice, which names the address.
        context.set_inbox(MailPurpose::SignUp, &email);
    }
    let (step, change) = signed_in?;
    context.change_session(change).await?;
    context.clear_inbox();
    let next = crate::domain::local_path(next.as_deref());
    leptos_axum::redirect(&crate::server::auth::redirect_path(&step, next));
    Ok(step)
}

endpoint!(SignOut, Anyone);

/// Ends the current session and redirects to the sign-in page.
#[server(prefix = "/api", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), AppError> {
    let context = RequestContext::of::<SignOut>().await?;
    if let Ok(caller) = context.caller() {
        let change = context.to_app_error(context.state.accounts.sign_out(caller, context.meta()).await)?;
        context.change_session(change).await?;
    }
    leptos_axum::redirect("/sign-in?done=signed-out");
    Ok(())
}

endpoint!(RatePassword, Anyone);

/// Rates a password while it is typed.
#[server(prefix = "/api", endpoint = "rate_password", input = Json)]
pub async fn rate_password(email: String, name: String, password: String) -> Result<PasswordRating, AppError> {
    let context = RequestContext::of::<RatePassword>().await?;
    context.to_app_error(context.state.accounts.rate_password(email, name, password).await)
}

#[cfg(feature = "ssr")]
fn credentials(
    context: &RequestContext,
    email: String,
    password: String,
    remember: bool,
) -> crate::server::auth::Credentials {
    crate::server::auth::Credentials { email, password, remember, meta: context.meta().clone() }
}
