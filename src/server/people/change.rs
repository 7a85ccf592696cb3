//! Changes of accounts by administrators: roles, disabling, revoking sign-ins, password resets.

use super::{Actor, Administration};
use crate::{
    domain::{AccountStatus, AppError, AuditAction, Email, PasswordReset, PersonChange, Role, SignInId, UserId},
    server::{
        fault::Fault,
        mail::{MailContent, Notice},
        store::{LinkPurpose, Tx},
    },
};

impl Administration {
    /// Applies one change to a user's account. `confirmed` means that administrators who would lose their own rights
    /// have been warned.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound`; `Invalid` on `confirmed`; `Conflict` if no administrator would remain.
    pub async fn change_person(
        &self,
        actor: &Actor<'_>,
        user: UserId,
        change: PersonChange,
        confirmed: bool,
    ) -> Result<(), Fault> {
        if actor.id() == Some(user) && change.needs_confirmation() && !confirmed {
            actor.require_administrator()?;
            return Err(AppError::invalid("confirmed", reason!("own_account_unconfirmed")).into());
        }
        match change {
            PersonChange::MakeAdministrator => self.change_role(actor, user, Role::Administrator).await,
            PersonChange::MakeMember => self.change_role(actor, user, Role::Member).await,
            PersonChange::Disable => self.disable(actor, user).await,
            PersonChange::Enable => self.enable(actor, user).await,
            PersonChange::EndSignIns => self.revoke_sign_ins(actor, user).await,
            PersonChange::RemoveFactors => self.schedule_factor_removal(actor, user).await,
            PersonChange::KeepFactors => self.cancel_factor_removal(actor, user).await,
            PersonChange::DeleteAccount => self.schedule_deletion(actor, user).await,
            PersonChange::KeepAccount => self.cancel_deletion(actor, user).await,
        }
    }

    /// Changes a user's role and revokes all their sign-ins. Does nothing if they have that role already.
    async fn change_role(&self, actor: &Actor<'_>, user: UserId, role: Role) -> Result<(), Fault> {
        let mut tx = self.begin_change(actor).await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        if person.summary.role == role {
            return Ok(());
        }
        tx.admin().update_role(user, role).await?;
        if role == Role::Member {
            self.accounts.require_remaining_administrator(&mut tx).await?;
            self.revoke_invitations(&mut tx, actor, user).await?;
        }
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        self.record_change(&mut tx, actor, user, AuditAction::ChangeRole, role.as_str()).await?;
        let notice = match role {
            Role::Member => Notice::MadeMember,
            Role::Administrator => Notice::MadeAdministrator,
        };
        self.notify(&mut tx, &person, notice).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Disables an account: revokes its sign-ins, invalidates its links, and prevents new sign-ins.
    async fn disable(&self, actor: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(actor).await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.admin().update_disabled(user, Some(self.clock.now())).await? {
            return Ok(());
        }
        if person.summary.role == Role::Administrator {
            self.accounts.require_remaining_administrator(&mut tx).await?;
        }
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        for purpose in [LinkPurpose::ResetPassword, LinkPurpose::ChangeAddress, LinkPurpose::VerifyAddress] {
            tx.owned_by(user).delete_links(purpose).await?;
        }
        self.revoke_invitations(&mut tx, actor, user).await?;
        self.record_change(&mut tx, actor, user, AuditAction::DisableAccount, "").await?;
        self.notify(&mut tx, &person, Notice::Disabled).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn enable(&self, actor: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(actor).await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.admin().update_disabled(user, None).await? {
            return Ok(());
        }
        // Also what was started while the account was being disabled.
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        self.record_change(&mut tx, actor, user, AuditAction::EnableAccount, "").await?;
        self.notify(&mut tx, &person, Notice::Enabled).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn revoke_sign_ins(&self, actor: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(actor).await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        self.record_change(&mut tx, actor, user, AuditAction::EndAllSignIns, "").await?;
        self.notify(&mut tx, &person, Notice::SignedOut).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Revokes one sign-in of a user.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound` if the sign-in is not that user's, or has ended.
    pub async fn end_sign_in_of(&self, actor: &Actor<'_>, user: UserId, sign_in: SignInId) -> Result<(), Fault> {
        let mut tx = self.begin_change(actor).await?;
        if !tx.owned_by(user).end_sign_in_of(sign_in, self.clock.now()).await? {
            return Err(AppError::NotFound.into());
        }
        self.record_change(&mut tx, actor, user, AuditAction::EndSignIn, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Starts a password reset for a user: mails them a link. Returns the link instead if no mails are sent, or to the
    /// operator. The password stays valid until the link is used, and only the account's owner chooses the new one.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound`; `Conflict` for a disabled account; `RateLimited` (3 mails an hour).
    pub async fn start_reset(&self, actor: &Actor<'_>, user: UserId) -> Result<PasswordReset, Fault> {
        actor.require_administrator()?;
        let mailed = self.notifier.is_enabled() && actor.caller.is_some();
        let person = self.store.read().await?.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        if mailed {
            let email = Email::parse(&person.summary.email)?;
            self.limits.count_mail(actor.meta, "reset", &email).await?;
        }
        let mut tx = self.begin_change(actor).await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        if person.summary.status == AccountStatus::Disabled {
            return Err(AppError::conflict(reason!("account_disabled")).into());
        }
        let link = self.accounts.insert_reset_link(&mut tx, (user, &person.summary.email)).await?;
        if mailed {
            let write = |texts| MailContent::reset_by_administrator(texts, &link);
            self.notifier.enqueue(&mut tx, &person.summary.email, write).await?;
        }
        self.record_change(&mut tx, actor, user, AuditAction::StartReset, if mailed { "by mail" } else { "by link" })
            .await?;
        tx.commit().await?;
        Ok(if mailed { PasswordReset::Mailed } else { PasswordReset::Link(link) })
    }

    /// Revokes the invitations created by a user who is no longer an administrator.
    pub(super) async fn revoke_invitations(&self, tx: &mut Tx, actor: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let ended = tx.admin().delete_invitations_of(user, self.clock.now()).await?;
        if ended > 0 {
            let detail = format!("{ended} by a former administrator");
            self.record_change(tx, actor, user, AuditAction::RevokeInvitation, &detail).await?;
        }
        Ok(())
    }
}
