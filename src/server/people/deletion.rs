//! Deletion of other users' accounts by administrators. The account is disabled immediately; for a day, the deletion
//! can be cancelled.

use super::{Actor, Administration};
use crate::{
    domain::{AppError, AuditAction, Role, UserId},
    server::{
        fault::Fault,
        mail::{MailContent, Notice},
        privacy::GRACE_SECONDS,
        store::LinkPurpose,
    },
};

impl Administration {
    /// Disables a user's account, and schedules its deletion in a day.
    pub(super) async fn schedule_deletion(&self, actor: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        if actor.id() == Some(user) {
            return Err(AppError::conflict(reason!("own_account_deletion")).into());
        }
        let now = self.clock.now();
        let due_at = now.plus_seconds(GRACE_SECONDS);
        let mut tx = self.begin_change(actor).await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.owned_by(user).begin_deletion(now, due_at).await? {
            return Err(AppError::conflict(reason!("deletion_begun")).into());
        }
        // The same timestamp as that of the deletion: if it is cancelled, this shows that the deletion disabled the
        // account.
        tx.admin().update_disabled(user, Some(now)).await?;
        if person.summary.role == Role::Administrator {
            self.accounts.require_remaining_administrator(&mut tx).await?;
        }
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        for purpose in [LinkPurpose::ResetPassword, LinkPurpose::ChangeAddress, LinkPurpose::VerifyAddress] {
            tx.owned_by(user).delete_links(purpose).await?;
        }
        self.revoke_invitations(&mut tx, actor, user).await?;
        self.record_change(&mut tx, actor, user, AuditAction::AskDeletion, "").await?;
        let write = |texts| MailContent::deletion_by_administrator(texts, due_at);
        self.notifier.enqueue(&mut tx, &person.summary.email, write).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Cancels the scheduled deletion of an account, whoever requested it.
    pub(super) async fn cancel_deletion(&self, actor: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(actor).await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.owned_by(user).withdraw_deletion(self.clock.now()).await? {
            return Err(AppError::conflict(reason!("deletion_over")).into());
        }
        self.record_change(&mut tx, actor, user, AuditAction::WithdrawDeletion, "").await?;
        self.notify(&mut tx, &person, Notice::DeletionUndone).await?;
        tx.commit().await?;
        Ok(())
    }
}
