//! Invitations, for administrators.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, Invitation, InvitationId, NewInvitation, Role};

endpoint!(CreateInvitation, RecentlyAuthenticatedAdministrator);

/// Creates an invitation and returns its link, which is not shown again. Without `email`, anyone with the link can use
/// it. By default for one person and 7 days.
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
    context.set_one_time_link(&made.link);
    context.redirect_plain_form(if made.mailed {
        "/people?done=mailed#invitations"
    } else {
        "/people?done=invited#invitations"
    });
    Ok(made)
}

endpoint!(ListInvitations, Administrator);

/// Returns the valid invitations, newest first.
#[server(prefix = "/api", endpoint = "list_invitations", input = Json)]
pub async fn list_invitations() -> Result<Vec<Invitation>, AppError> {
    let context = RequestContext::of::<ListInvitations>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.people.list_invitations(caller).await)
}

endpoint!(RevokeInvitation, Administrator);

/// Revokes an invitation.
#[server(prefix = "/api", endpoint = "revoke_invitation")]
pub async fn revoke_invitation(id: InvitationId) -> Result<(), AppError> {
    let context = RequestContext::of::<RevokeInvitation>().await?;
    let caller = context.caller()?;
    context.to_app_error(context.state.people.revoke_invitation(caller, id, context.meta()).await)?;
    context.redirect_plain_form("/people?done=revoked#invitations");
    Ok(())
}
