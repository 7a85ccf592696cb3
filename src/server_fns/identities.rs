//! Signing in by identity providers. Going there is not a server function but a form: `POST /auth/{provider}/start`.

use leptos::prelude::*;

use crate::domain::{AppError, Identity, IdentityProvider};

/// Where one can sign in besides by password.
#[server(prefix = "/api", endpoint = "list_identity_providers")]
pub async fn list_identity_providers() -> Result<Vec<IdentityProvider>, AppError> {
    let door = super::door::Door::open()?;
    Ok(door.state.identities.list_providers())
}

/// Who the caller is at providers.
#[server(prefix = "/api", endpoint = "list_identities")]
pub async fn list_identities() -> Result<Vec<Identity>, AppError> {
    let door = super::door::Door::open()?;
    let user = door.user()?;
    door.answer(door.state.identities.list(user).await)
}

/// Unlinks one of the caller's identities.
#[server(prefix = "/api", endpoint = "unlink_identity")]
pub async fn unlink_identity(issuer: String, subject: String) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.caller()?;
    door.answer(door.state.identities.unlink(&caller, &issuer, &subject, &door.meta()).await)?;
    door.lead_to("/settings?done=unlinked#providers");
    Ok(())
}
