//! Deletion of the caller's own account.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, Timestamp};

endpoint!(DeleteAccount, RecentlyAuthenticated);

/// Schedules the deletion of the caller's account in one day and returns its time. The caller must type the address of
/// the account, to prevent accidents.
#[server(prefix = "/api", endpoint = "delete_account")]
pub async fn delete_account(email: String) -> Result<Timestamp, AppError> {
    let context = RequestContext::of::<DeleteAccount>().await?;
    let caller = context.caller()?;
    let due = context.to_app_error(context.state.privacy.request_deletion(caller, &email, context.meta()).await)?;
    context.redirect_plain_form("/settings/data?done=deletion#delete");
    Ok(due)
}

endpoint!(KeepAccount, BeforeEnrolment);

/// Cancels the deletion of the caller's account.
#[server(prefix = "/api", endpoint = "keep_account")]
pub async fn keep_account() -> Result<(), AppError> {
    let context = RequestContext::of::<KeepAccount>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.privacy.cancel_deletion(caller, context.meta()).await)
}
