//! Invitations: creating and revoking them.

use super::{Actor, Administration};
use crate::{
    domain::{AppError, AuditAction, Email, Invitation, InvitationId, NewInvitation, Outcome, Role, limits},
    server::{
        audit::{AuditEvent, RequestMeta},
        auth::{Caller, Token},
        fault::Fault,
        mail::MailContent,
        store::{LinkPurpose, NewLink},
    },
};

/// An invitation to create.
#[derive(Debug)]
pub struct InvitationRequest {
    /// The only address that may use it, as typed; empty if anyone with the link may.
    pub email: String,
    /// The role of the invited user.
    pub role: Role,
    /// How many accounts can be created with it.
    pub uses: u32,
    /// How many days it is valid.
    pub days: u32,
}

impl InvitationRequest {
    fn check(&self) -> Result<Option<Email>, AppError> {
        let email = (!self.email.trim().is_empty()).then(|| Email::parse(&self.email)).transpose()?;
        let at_most = if email.is_some() || self.role == Role::Administrator { 1 } else { limits::MAX_INVITATION_USES };
        if !(1..=at_most).contains(&self.uses) {
            let reason = match at_most {
                1 => reason!("invitation_for_one"),
                _ => reason!("invitation_uses", most = at_most),
            };
            return Err(AppError::invalid("uses", reason));
        }
        if !(1..=limits::MAX_INVITATION_DAYS).contains(&self.days) {
            let reason = reason!("invitation_days", most = limits::MAX_INVITATION_DAYS);
            return Err(AppError::invalid("days", reason));
        }
        Ok(email)
    }
}

impl Administration {
    /// Creates an invitation, and mails it if it is for one address and mails are sent. It is revoked once its creator
    /// is no longer an administrator.
    ///
    /// # Errors
    /// `Forbidden` for members; `Invalid` on `email`, `uses` or `days`; `RateLimited` (3 an hour to one address).
    pub async fn create_invitation(
        &self,
        caller: &Caller,
        request: &InvitationRequest,
        meta: &RequestMeta,
    ) -> Result<NewInvitation, Fault> {
        caller.require_administrator()?;
        let email = request.check()?;
        if let Some(email) = &email {
            self.limits.count_mail_to(meta, "invitation", email).await?;
        }
        let (token, now) = (Token::new(), self.clock.now());
        let (id, link) = (self.clock.new_id(), self.accounts.link("/sign-up?invitation", &token));
        let mut tx = self.begin_change(&Actor::administrator(caller, meta)).await?;
        tx.insert_link(&NewLink {
            id,
            token_hash: &token.hash(),
            purpose: LinkPurpose::Invitation,
            user: None,
            email: email.as_ref().map(Email::as_entered),
            role: Some(request.role),
            uses: request.uses,
            created_at: now,
            expires_at: now.plus_seconds(i64::from(request.days) * 86_400),
            created_by: Some(caller.user.id),
        })
        .await?;
        if let Some(email) = &email {
            let write = |texts| MailContent::invitation(texts, &caller.user.name, &link, request.days);
            self.notifier.enqueue_to_address(&mut tx, email.as_entered(), meta.language, write).await?;
        }
        let bound = email.as_ref().map_or("anyone with the link", |email| email.domain());
        let detail = format!("{} for {bound}, {} uses, {} days", request.role.as_str(), request.uses, request.days);
        let event = AuditEvent {
            actor: Some(caller.user.id),
            subject: None,
            action: AuditAction::CreateInvitation,
            outcome: Outcome::Done,
            detail: &detail,
        };
        meta.record(&mut tx, &self.clock, &event).await?;
        tx.commit().await?;
        Ok(NewInvitation {
            id: InvitationId::from_uuid(id),
            link,
            mailed: self.notifier.is_enabled() && email.is_some(),
        })
    }

    /// The invitations that can be used now, newest first.
    ///
    /// # Errors
    /// `Forbidden` for members.
    pub async fn list_invitations(&self, caller: &Caller) -> Result<Vec<Invitation>, Fault> {
        caller.require_administrator()?;
        Ok(self.store.read().await?.admin().list_invitations(self.clock.now()).await?)
    }

    /// Revokes an invitation. Accounts that were created with it stay.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound` if there is no such usable invitation.
    pub async fn revoke_invitation(&self, caller: &Caller, id: InvitationId, meta: &RequestMeta) -> Result<(), Fault> {
        let mut tx = self.begin_change(&Actor::administrator(caller, meta)).await?;
        if !tx.admin().delete_invitation(id, self.clock.now()).await? {
            return Err(AppError::NotFound.into());
        }
        let event = AuditEvent {
            actor: Some(caller.user.id),
            subject: None,
            action: AuditAction::RevokeInvitation,
            outcome: Outcome::Done,
            detail: "",
        };
        meta.record(&mut tx, &self.clock, &event).await?;
        tx.commit().await?;
        Ok(())
    }
}
