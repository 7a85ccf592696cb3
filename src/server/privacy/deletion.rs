//! Deletion of one's own account.
//!
//! The account is deleted a day after the request. Until then the deletion can be cancelled, and the user can still
//! sign in.

use super::Privacy;
use crate::{
    domain::{AppError, AuditAction, Email, Role, Timestamp},
    server::{
        audit::RequestMeta,
        auth::Caller,
        fault::Fault,
        mail::{MailContent, Notice},
    },
};

/// Seconds during which a deletion can be cancelled.
pub const GRACE_SECONDS: i64 = 86_400;

impl Privacy {
    /// Schedules the deletion of the caller's account; they confirm by typing its address. Revokes all their other
    /// sign-ins. Returns when the account will be deleted.
    ///
    /// # Errors
    /// `ReauthRequired`; `Invalid` on `email` if it is not theirs; `Conflict` if a deletion is already scheduled, or no
    /// administrator would remain.
    pub async fn request_deletion(&self, caller: &Caller, email: &str, meta: &RequestMeta) -> Result<Timestamp, Fault> {
        self.accounts.require_recent_authentication(caller)?;
        let typed = Email::parse(email)?;
        let (user, now) = (caller.user.id, self.clock.now());
        let due_at = now.plus_seconds(GRACE_SECONDS);
        let mut tx = self.store.write().await?;
        tx.admin().lock_administrators().await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::Unauthenticated)?;
        if typed.key() != Email::parse(&person.summary.email)?.key() {
            return Err(AppError::invalid("email", reason!("email_not_yours")).into());
        }
        if !tx.owned_by(user).begin_deletion(now, due_at).await? {
            return Err(AppError::conflict(reason!("own_deletion_begun")).into());
        }
        if person.summary.role == Role::Administrator {
            self.accounts.require_remaining_administrator(&mut tx).await?;
        }
        tx.owned_by(user).renew_credentials(Some(caller.sign_in), now).await?;
        tx.owned_by(user).delete_pending_sign_ins_of().await?;
        meta.record_own(&mut tx, &self.clock, user, AuditAction::AskDeletion).await?;
        let write = |texts| MailContent::deletion(texts, due_at, &meta.network_in(texts));
        self.notifier.enqueue(&mut tx, &person.summary.email, write).await?;
        tx.commit().await?;
        Ok(due_at)
    }

    /// Cancels the scheduled deletion of the caller's account.
    ///
    /// # Errors
    /// `NotFound` if no deletion is scheduled.
    pub async fn cancel_deletion(&self, caller: &Caller, meta: &RequestMeta) -> Result<(), Fault> {
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        if !tx.owned_by(user).withdraw_deletion(self.clock.now()).await? {
            return Err(AppError::NotFound.into());
        }
        meta.record_own(&mut tx, &self.clock, user, AuditAction::WithdrawDeletion).await?;
        self.notifier.notify(&mut tx, &caller.user.email, Notice::DeletionUndone, meta).await?;
        tx.commit().await?;
        Ok(())
    }
}
