//! The audit log, for administrators. The export is not a server function but a form: `POST /audit/export`.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, AuditPage, AuditQuery};

endpoint!(LoadAudit, Administrator);

/// Returns the matching audit entries, newest first, from `cursor` on.
#[server(prefix = "/api", endpoint = "load_audit", input = Json)]
pub async fn load_audit(
    #[server(default)] query: AuditQuery,
    #[server(default)] cursor: Option<String>,
) -> Result<AuditPage, AppError> {
    let context = RequestContext::of::<LoadAudit>().await?;
    let actor = context.actor()?;
    context.to_app_error(context.state.people.list_audit(&actor, &query, cursor.as_deref()).await)
}
