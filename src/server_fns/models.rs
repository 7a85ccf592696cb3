//! The picker's content.

use leptos::prelude::*;

use crate::domain::{AppError, ModelChoice};

/// The models that can be asked.
#[server(prefix = "/api", endpoint = "list_models")]
pub async fn list_models() -> Result<ModelChoice, AppError> {
    todo!()
}
