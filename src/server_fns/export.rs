//! What people take away of their data.

use leptos::prelude::*;

use crate::domain::{AppError, DataExport};

/// Asks for a download of the caller's data, which takes the place of the one before.
#[server(prefix = "/api", endpoint = "request_export")]
pub async fn request_export() -> Result<DataExport, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_caller()?;
    let export = door.answer(door.state.exports.request(&caller, &door.meta()).await)?;
    door.lead_to("/settings?done=export#data");
    Ok(export)
}
