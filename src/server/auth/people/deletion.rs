//! Accounts that are to be deleted.
//!
//! Between the wish and the deletion lies a day, in which it can be undone. Whoever wishes it for their own account can
//! still sign in; an account that an administrator deletes is shut at once.

use super::By;
use crate::{
    domain::{AppError, AuditAction, Email, Role, Timestamp, UserId},
    server::{
        auth::{Accounts, Caller, Origin},
        fault::Fault,
        mail::Letter,
        store::LinkPurpose,
    },
};

/// Seconds in which a deletion can be undone.
const GRACE_SECONDS: i64 = 86_400;

impl Accounts {
    /// The caller wants their account to be deleted, and has typed its address. All their other sign-ins end. Gives when
    /// it is deleted.
    ///
    /// # Errors
    /// `Stale`; `Invalid` on `email` where it is not theirs; `Conflict` where they asked before, or where no
    /// administrator would be left.
    pub async fn ask_deletion(&self, caller: &Caller, email: &str, origin: &Origin) -> Result<Timestamp, Fault> {
        self.require_fresh(caller)?;
        let typed = Email::parse(email)?;
        let (user, now) = (caller.user.id, self.clock.now());
        let due_at = now.plus_seconds(GRACE_SECONDS);
        let mut tx = self.store.write().await?;
        tx.lock_administrators().await?;
        let person = tx.find_person(user).await?.ok_or(AppError::Unauthenticated)?;
        if typed.key() != Email::parse(&person.summary.email)?.key() {
            return Err(AppError::invalid("email", "This is not the e-mail address of your account.").into());
        }
        if !tx.owned_by(user).begin_deletion(now, due_at).await? {
            return Err(AppError::conflict("Your account is going to be deleted already.").into());
        }
        if person.summary.role == Role::Administrator {
            self.keep_an_administrator(&mut tx).await?;
        }
        tx.renew_credentials(user, Some(caller.sign_in), now).await?;
        tx.delete_pending_sign_ins_of(user).await?;
        origin.note(&mut tx, &self.clock, user, AuditAction::AskDeletion).await?;
        self.post(&mut tx, &person.summary.email, &Letter::deletion(due_at, &origin.place())).await?;
        tx.commit().await?;
        Ok(due_at)
    }

    /// The caller keeps their account.
    ///
    /// # Errors
    /// `NotFound` where it is not to be deleted.
    pub async fn keep_account(&self, caller: &Caller, origin: &Origin) -> Result<(), Fault> {
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        if !tx.owned_by(user).withdraw_deletion(self.clock.now()).await? {
            return Err(AppError::NotFound.into());
        }
        origin.note(&mut tx, &self.clock, user, AuditAction::WithdrawDeletion).await?;
        self.notify(&mut tx, &caller.user.email, "Your account stays: its deletion was undone.", origin).await?;
        tx.commit().await?;
        Ok(())
    }

    /// When the caller's account is deleted, if it is to be.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_deletion(&self, caller: &Caller) -> Result<Option<Timestamp>, Fault> {
        Ok(self.store.read().await?.owned_by(caller.user.id).find_deletion().await?)
    }

    /// Shuts somebody's account at once, and has it deleted after a day.
    pub(super) async fn ask_deletion_of(&self, by: &By<'_>, user: UserId) -> Result<(), Fault> {
        if by.actor() == Some(user) {
            return Err(AppError::conflict("This is your own account. Delete it in your settings.").into());
        }
        let now = self.clock.now();
        let due_at = now.plus_seconds(GRACE_SECONDS);
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.owned_by(user).begin_deletion(now, due_at).await? {
            return Err(AppError::conflict("This account is going to be deleted already.").into());
        }
        // The same moment says, when it is undone, that it was shut by this.
        tx.update_disabled(user, Some(now)).await?;
        if person.summary.role == Role::Administrator {
            self.keep_an_administrator(&mut tx).await?;
        }
        self.end_everything(&mut tx, user).await?;
        for purpose in [LinkPurpose::ResetPassword, LinkPurpose::ChangeAddress, LinkPurpose::VerifyAddress] {
            tx.delete_links(user, purpose).await?;
        }
        self.end_invitations(&mut tx, by, user).await?;
        self.note_change(&mut tx, by, user, AuditAction::AskDeletion, "").await?;
        self.post(&mut tx, &person.summary.email, &Letter::deletion_by_administrator(due_at)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Somebody's account stays, whoever wanted it to be deleted.
    pub(super) async fn keep_account_of(&self, by: &By<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.owned_by(user).withdraw_deletion(self.clock.now()).await? {
            return Err(AppError::conflict("This account is not going to be deleted, or its day is over.").into());
        }
        self.note_change(&mut tx, by, user, AuditAction::WithdrawDeletion, "").await?;
        self.tell(&mut tx, &person, "Your account stays: its deletion was undone.").await?;
        tx.commit().await?;
        Ok(())
    }
}
