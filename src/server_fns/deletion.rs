//! The end of the caller's own account.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, Timestamp};

endpoint!(DeleteAccount, RecentlyAuthenticated);

/// Has the caller's account deleted in a day. They type its address, so that nobody does it by accident. Gives when.
#[server(prefix = "/api", endpoint = "delete_account")]
pub async fn delete_account(email: String) -> Result<Timestamp, AppError> {
    let context = RequestContext::of::<DeleteAccount>().await?;
    let caller = context.caller()?;
    let due = context.to_app_error(context.state.privacy.ask_deletion(caller, &email, context.meta()).await)?;
    context.lead_to("/settings?done=deletion#delete");
    Ok(due)
}

endpoint!(KeepAccount, Unenrolled);

/// The caller keeps their account after all.
#[server(prefix = "/api", endpoint = "keep_account")]
pub async fn keep_account() -> Result<(), AppError> {
    let context = RequestContext::of::<KeepAccount>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.privacy.keep_account(caller, context.meta()).await)
}
