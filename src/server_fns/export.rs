//! What people take away of their data.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, DataExport};

endpoint!(RequestExport, RecentlyAuthenticated);

/// Asks for a download of the caller's data, which takes the place of the one before.
#[server(prefix = "/api", endpoint = "request_export")]
pub async fn request_export() -> Result<DataExport, AppError> {
    let context = RequestContext::of::<RequestExport>().await?;
    let caller = context.caller()?;
    let export = context.to_app_error(context.state.exports.request(caller, context.meta()).await)?;
    context.lead_to("/settings?done=export#data");
    Ok(export)
}
