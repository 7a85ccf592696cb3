//! The connected models, for administrators.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, ConnectedModels};

endpoint!(ConnectedModelsList, Administrator);

/// Asks the providers of the configuration for their models, and returns them with the models of this server. Takes at
/// most five seconds.
#[server(ConnectedModelsList, prefix = "/api", endpoint = "connected_models", input = Json)]
pub async fn connected_models() -> Result<ConnectedModels, AppError> {
    let context = RequestContext::of::<ConnectedModelsList>().await?;
    context.actor()?;
    Ok(context.state.chats.models().connected(&context.state.config).await)
}
