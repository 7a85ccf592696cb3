//! Public pages, which need no sign-in.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, LegalPage};

endpoint!(LoadLegal, Anyone);

/// Returns the text of a legal page in the reader's language, as HTML that is safe to insert.
#[server(prefix = "/api", endpoint = "load_legal")]
pub async fn load_legal(page: LegalPage) -> Result<String, AppError> {
    let context = RequestContext::of::<LoadLegal>().await?;
    context.to_app_error(crate::server::legal::load_legal(&context.state.config, context.language(), page).await)
}
