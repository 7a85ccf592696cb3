//! Roles, shut accounts, ended sign-ins, resets.

use super::{Actor, Administration};
use crate::{
    domain::{AppError, AuditAction, Email, PersonChange, Reset, Role, SignInId, Standing, UserId},
    server::{
        fault::Fault,
        mail::{Letter, Notice},
        store::{LinkPurpose, Tx},
    },
};

impl Administration {
    /// Does one thing with somebody's account. `confirmed` says that an administrator who would lose their own rights
    /// has been told so.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound`; `Invalid` on `confirmed`; `Conflict` where no administrator would be left.
    pub async fn change_person(
        &self,
        by: &Actor<'_>,
        user: UserId,
        change: PersonChange,
        confirmed: bool,
    ) -> Result<(), Fault> {
        if by.id() == Some(user) && change.needs_confirmation() && !confirmed {
            by.check()?;
            return Err(AppError::invalid("confirmed", reason!("own_account_unconfirmed")).into());
        }
        match change {
            PersonChange::MakeAdministrator => self.change_role(by, user, Role::Administrator).await,
            PersonChange::MakeMember => self.change_role(by, user, Role::Member).await,
            PersonChange::Disable => self.disable(by, user).await,
            PersonChange::Enable => self.enable(by, user).await,
            PersonChange::EndSignIns => self.end_sign_ins_of(by, user).await,
            PersonChange::RemoveFactors => self.ask_factor_removal(by, user).await,
            PersonChange::KeepFactors => self.withdraw_factor_removal(by, user).await,
            PersonChange::DeleteAccount => self.ask_deletion_of(by, user).await,
            PersonChange::KeepAccount => self.keep_account_of(by, user).await,
        }
    }

    /// Changes what a person may do, and ends all their sign-ins. Nothing happens where that is their role already.
    async fn change_role(&self, by: &Actor<'_>, user: UserId, role: Role) -> Result<(), Fault> {
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if person.summary.role == role {
            return Ok(());
        }
        tx.update_role(user, role).await?;
        if role == Role::Member {
            self.accounts.require_an_administrator(&mut tx).await?;
            self.end_invitations(&mut tx, by, user).await?;
        }
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        self.record_change(&mut tx, by, user, AuditAction::ChangeRole, role.word()).await?;
        let notice = match role {
            Role::Member => Notice::MadeMember,
            Role::Administrator => Notice::MadeAdministrator,
        };
        self.notify(&mut tx, &person, notice).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Shuts an account: its sign-ins end, its links are dead, and nobody signs in to it.
    async fn disable(&self, by: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.update_disabled(user, Some(self.clock.now())).await? {
            return Ok(());
        }
        if person.summary.role == Role::Administrator {
            self.accounts.require_an_administrator(&mut tx).await?;
        }
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        for purpose in [LinkPurpose::ResetPassword, LinkPurpose::ChangeAddress, LinkPurpose::VerifyAddress] {
            tx.delete_links(user, purpose).await?;
        }
        self.end_invitations(&mut tx, by, user).await?;
        self.record_change(&mut tx, by, user, AuditAction::DisableAccount, "").await?;
        self.notify(&mut tx, &person, Notice::Disabled).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn enable(&self, by: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.update_disabled(user, None).await? {
            return Ok(());
        }
        // Also what was begun in the moment in which the account was shut.
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        self.record_change(&mut tx, by, user, AuditAction::EnableAccount, "").await?;
        self.notify(&mut tx, &person, Notice::Enabled).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn end_sign_ins_of(&self, by: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        self.record_change(&mut tx, by, user, AuditAction::EndAllSignIns, "").await?;
        self.notify(&mut tx, &person, Notice::SignedOut).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends one sign-in of somebody.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound` where it is not that person's, or has ended.
    pub async fn end_sign_in_of(&self, by: &Actor<'_>, user: UserId, sign_in: SignInId) -> Result<(), Fault> {
        let mut tx = self.begin_change(by).await?;
        if !tx.end_sign_in_of(user, sign_in, self.clock.now()).await? {
            return Err(AppError::NotFound.into());
        }
        self.record_change(&mut tx, by, user, AuditAction::EndSignIn, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Begins a reset of somebody's password: mails them a link, or gives it where no mails are sent and to the
    /// operator. The password stays until the link is used, and nobody but its owner chooses the new one.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound`; `Conflict` for a disabled account; `RateLimited` (3 mails an hour).
    pub async fn start_reset(&self, by: &Actor<'_>, user: UserId) -> Result<Reset, Fault> {
        by.check()?;
        let mailed = self.notices.are_sent() && by.caller.is_some();
        let person = self.store.read().await?.find_person(user).await?.ok_or(AppError::NotFound)?;
        if mailed {
            let email = Email::parse(&person.summary.email)?;
            self.limits.count_mail(by.meta, "reset", &email).await?;
        }
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if person.summary.standing == Standing::Disabled {
            return Err(AppError::conflict(reason!("account_disabled")).into());
        }
        let link = self.accounts.insert_reset_link(&mut tx, &person).await?;
        if mailed {
            let write = |texts| Letter::reset_by_administrator(texts, &link);
            self.notices.post(&mut tx, &person.summary.email, write).await?;
        }
        self.record_change(&mut tx, by, user, AuditAction::StartReset, if mailed { "by mail" } else { "by link" })
            .await?;
        tx.commit().await?;
        Ok(if mailed { Reset::Mailed } else { Reset::Link(link) })
    }

    /// Ends the invitations that somebody made who may make none any more.
    pub(super) async fn end_invitations(&self, tx: &mut Tx, by: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let ended = tx.delete_invitations_of(user, self.clock.now()).await?;
        if ended > 0 {
            let detail = format!("{ended} of whoever is no administrator any more");
            self.record_change(tx, by, user, AuditAction::RevokeInvitation, &detail).await?;
        }
        Ok(())
    }
}
