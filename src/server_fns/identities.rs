//! Identity providers. Starting a flow is not a server function but a form: `POST /auth/{provider}/start`.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, Identity, IdentityProvider};

endpoint!(ListIdentityProviders, Anyone);

/// Returns the identity providers for signing in.
#[server(prefix = "/api", endpoint = "list_identity_providers")]
pub async fn list_identity_providers() -> Result<Vec<IdentityProvider>, AppError> {
    let context = RequestContext::of::<ListIdentityProviders>().await?;
    Ok(context.state.identities.list_providers())
}

endpoint!(ListIdentities, Person);

/// Returns the caller's linked identities.
#[server(prefix = "/api", endpoint = "list_identities")]
pub async fn list_identities() -> Result<Vec<Identity>, AppError> {
    let context = RequestContext::of::<ListIdentities>().await?;
    let user = context.user()?;
    context.to_app_error(context.state.identities.list(user).await)
}

endpoint!(UnlinkIdentity, Person);

/// Unlinks one of the caller's identities.
#[server(prefix = "/api", endpoint = "unlink_identity")]
pub async fn unlink_identity(issuer: String, subject: String) -> Result<(), AppError> {
    let context = RequestContext::of::<UnlinkIdentity>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.identities.unlink(caller, &issuer, &subject, context.meta()).await)?;
    context.redirect_plain_form("/settings/security?done=unlinked#providers");
    Ok(())
}
