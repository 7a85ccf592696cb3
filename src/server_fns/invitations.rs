//! Invitations, for administrators.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, Invitation, InvitationId, NewInvitation, Role};

endpoint!(CreateInvitation, RecentlyAuthenticatedAdministrator);

/// Makes an invitation and gives its link, which is not shown again. Without `email` it is for whoever has the link.
/// One person and 7 days unless said otherwise.
#[server(prefix = "/api", endpoint = "create_invitation")]
pub async fn create_invitation(
    #[server(default)] email: String,
    role: Role,
    #[server(default)] uses: Option<u32>,
    #[server(default)] days: Option<u32>,
) -> Result<NewInvitation, AppError> {
    let context = RequestContext::of::<CreateInvitation>().await?;
    let caller = context.caller()?;
    let (uses, days) = (uses.unwrap_or(1), days.unwrap_or(7));
    let request = crate::server::people::InvitationRequest { email, role, uses, days };
    let made = context.to_app_error(context.state.people.create_invitation(caller, &request, context.meta()).await)?;
    context.show_once(&made.link);
    context.lead_to(if made.mailed { "/people?done=mailed#invitations" } else { "/people?done=invited#invitations" });
    Ok(made)
}

endpoint!(ListInvitations, Administrator);

/// The invitations that can be used now, newest first.
#[server(prefix = "/api", endpoint = "list_invitations", input = Json)]
pub async fn list_invitations() -> Result<Vec<Invitation>, AppError> {
    let context = RequestContext::of::<ListInvitations>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.people.list_invitations(caller).await)
}

endpoint!(RevokeInvitation, Administrator);

/// Makes an invitation dead.
#[server(prefix = "/api", endpoint = "revoke_invitation")]
pub async fn revoke_invitation(id: InvitationId) -> Result<(), AppError> {
    let context = RequestContext::of::<RevokeInvitation>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.people.revoke_invitation(caller, id, context.meta()).await)?;
    context.lead_to("/people?done=revoked#invitations");
    Ok(())
}
