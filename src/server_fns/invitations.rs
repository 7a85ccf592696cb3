//! Invitations, for administrators.

use leptos::prelude::*;
use server_fn::codec::Json;

use crate::domain::{AppError, Invitation, InvitationId, NewInvitation, Role};

/// Makes an invitation and gives its link, which is not shown again. Without `email` it is for whoever has the link.
/// One person and 7 days unless said otherwise.
#[server(prefix = "/api", endpoint = "create_invitation")]
pub async fn create_invitation(
    #[server(default)] email: String,
    role: Role,
    #[server(default)] uses: Option<u32>,
    #[server(default)] days: Option<u32>,
) -> Result<NewInvitation, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.fresh_administrator().await?;
    let (uses, days) = (uses.unwrap_or(1), days.unwrap_or(7));
    let request = crate::server::people::InvitationRequest { email, role, uses, days };
    let made = door.answer(door.state.people.create_invitation(&caller, &request, &door.meta()).await)?;
    door.show_once(&made.link);
    door.lead_to(if made.mailed { "/people?done=mailed#invitations" } else { "/people?done=invited#invitations" });
    Ok(made)
}

/// The invitations that can be used now, newest first.
#[server(prefix = "/api", endpoint = "list_invitations", input = Json)]
pub async fn list_invitations() -> Result<Vec<Invitation>, AppError> {
    let door = super::door::Door::open()?;
    let caller = door.administrator().await?;
    door.answer(door.state.people.list_invitations(&caller).await)
}

/// Makes an invitation dead.
#[server(prefix = "/api", endpoint = "revoke_invitation")]
pub async fn revoke_invitation(id: InvitationId) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    let caller = door.administrator().await?;
    door.answer(door.state.people.revoke_invitation(&caller, id, &door.meta()).await)?;
    door.lead_to("/people?done=revoked#invitations");
    Ok(())
}
