//! What was written down, for administrators. An export is no server function but a form: `POST /audit/export`.

use leptos::prelude::*;
use server_fn::codec::Json;

use crate::domain::{AppError, AuditPage, AuditQuery};

/// The acts that fit, newest first, from `cursor` on.
#[server(prefix = "/api", endpoint = "load_audit", input = Json)]
pub async fn load_audit(
    #[server(default)] query: AuditQuery,
    #[server(default)] cursor: Option<String>,
) -> Result<AuditPage, AppError> {
    let door = super::door::Door::open()?;
    let (caller, meta) = (door.administrator().await?, door.meta());
    let by = crate::server::people::Actor::administrator(&caller, &meta);
    door.answer(door.state.people.list_audit(&by, &query, cursor.as_deref()).await)
}
