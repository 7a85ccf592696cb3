//! People delete their own accounts.
//!
//! Between the request and the deletion lies a day, in which it can be undone. They can still sign in meanwhile.

use super::Privacy;
use crate::{
    domain::{AppError, AuditAction, Email, Role, Timestamp},
    server::{
        audit::RequestMeta,
        auth::Caller,
        fault::Fault,
        mail::{Letter, Notice},
    },
};

/// Seconds in which a deletion can be undone.
pub const GRACE_SECONDS: i64 = 86_400;

impl Privacy {
    /// The caller wants their account to be deleted, and has typed its address. All their other sign-ins end. Gives when
    /// it is deleted.
    ///
    /// # Errors
    /// `Stale`; `Invalid` on `email` where it is not theirs; `Conflict` where they asked before, or where no
    /// administrator would be left.
    pub async fn ask_deletion(&self, caller: &Caller, email: &str, meta: &RequestMeta) -> Result<Timestamp, Fault> {
        self.accounts.require_fresh(caller)?;
        let typed = Email::parse(email)?;
        let (user, now) = (caller.user.id, self.clock.now());
        let due_at = now.plus_seconds(GRACE_SECONDS);
        let mut tx = self.store.write().await?;
        tx.lock_administrators().await?;
        let person = tx.find_person(user).await?.ok_or(AppError::Unauthenticated)?;
        if typed.key() != Email::parse(&person.summary.email)?.key() {
            return Err(AppError::invalid("email", reason!("email_not_yours")).into());
        }
        if !tx.owned_by(user).begin_deletion(now, due_at).await? {
            return Err(AppError::conflict(reason!("own_deletion_begun")).into());
        }
        if person.summary.role == Role::Administrator {
            self.accounts.require_an_administrator(&mut tx).await?;
        }
        tx.renew_credentials(user, Some(caller.sign_in), now).await?;
        tx.delete_pending_sign_ins_of(user).await?;
        meta.record_own(&mut tx, &self.clock, user, AuditAction::AskDeletion).await?;
        let write = |texts| Letter::deletion(texts, due_at, &meta.network_in(texts));
        self.notices.post(&mut tx, &person.summary.email, write).await?;
        tx.commit().await?;
        Ok(due_at)
    }

    /// The caller keeps their account.
    ///
    /// # Errors
    /// `NotFound` where it is not to be deleted.
    pub async fn keep_account(&self, caller: &Caller, meta: &RequestMeta) -> Result<(), Fault> {
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        if !tx.owned_by(user).withdraw_deletion(self.clock.now()).await? {
            return Err(AppError::NotFound.into());
        }
        meta.record_own(&mut tx, &self.clock, user, AuditAction::WithdrawDeletion).await?;
        self.notices.tell(&mut tx, &caller.user.email, Notice::DeletionUndone, meta).await?;
        tx.commit().await?;
        Ok(())
    }

    /// When the caller's account is deleted, if it is to be.
    pub async fn find_deletion(&self, caller: &Caller) -> Result<Option<Timestamp>, Fault> {
        Ok(self.store.read().await?.owned_by(caller.user.id).find_deletion().await?)
    }
}
