//! The picker's content.

use leptos::prelude::*;

use crate::domain::{AppError, ModelChoice};

/// The models that can be asked.
#[server(prefix = "/api", endpoint = "list_models")]
pub async fn list_models() -> Result<ModelChoice, AppError> {
    let door = super::door::Door::open()?;
    door.caller()?;
    Ok(door.state.chats.models().list().await)
}
