//! What everybody may read, signed in or not.

use leptos::prelude::*;

use crate::domain::{AppError, LegalPage};

/// The text of a legal page, as HTML that is safe to insert.
#[server(prefix = "/api", endpoint = "load_legal")]
pub async fn load_legal(page: LegalPage) -> Result<String, AppError> {
    let door = super::door::Door::open()?;
    door.answer(crate::server::legal::load_legal(&door.state.config, page).await)
}
