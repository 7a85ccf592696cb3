//! The caller's data export.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, DataExport};

endpoint!(RequestExport, RecentlyAuthenticated);

/// Requests a data export of the caller, which replaces the previous one.
#[server(prefix = "/api", endpoint = "request_export")]
pub async fn request_export() -> Result<DataExport, AppError> {
    let context = RequestContext::of::<RequestExport>().await?;
    let caller = context.caller()?;
    let export = context.to_app_error(context.state.exports.request(caller, context.meta()).await)?;
    context.redirect_plain_form("/settings/data?done=export#data");
    Ok(export)
}
