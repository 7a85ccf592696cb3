//! Administrators delete other people's accounts, which are disabled at once. For a day, that can be undone.

use super::{Actor, Administration};
use crate::{
    domain::{AppError, AuditAction, Role, UserId},
    server::{
        fault::Fault,
        mail::{Letter, Notice},
        privacy::GRACE_SECONDS,
        store::LinkPurpose,
    },
};

impl Administration {
    /// Shuts somebody's account at once, and has it deleted after a day.
    pub(super) async fn ask_deletion_of(&self, by: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        if by.id() == Some(user) {
            return Err(AppError::conflict(reason!("own_account_deletion")).into());
        }
        let now = self.clock.now();
        let due_at = now.plus_seconds(GRACE_SECONDS);
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.owned_by(user).begin_deletion(now, due_at).await? {
            return Err(AppError::conflict(reason!("deletion_begun")).into());
        }
        // The same moment says, when it is undone, that it was shut by this.
        tx.update_disabled(user, Some(now)).await?;
        if person.summary.role == Role::Administrator {
            self.accounts.require_an_administrator(&mut tx).await?;
        }
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        for purpose in [LinkPurpose::ResetPassword, LinkPurpose::ChangeAddress, LinkPurpose::VerifyAddress] {
            tx.delete_links(user, purpose).await?;
        }
        self.end_invitations(&mut tx, by, user).await?;
        self.record_change(&mut tx, by, user, AuditAction::AskDeletion, "").await?;
        let write = |texts| Letter::deletion_by_administrator(texts, due_at);
        self.notices.post(&mut tx, &person.summary.email, write).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Somebody's account stays, whoever wanted it to be deleted.
    pub(super) async fn keep_account_of(&self, by: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.owned_by(user).withdraw_deletion(self.clock.now()).await? {
            return Err(AppError::conflict(reason!("deletion_over")).into());
        }
        self.record_change(&mut tx, by, user, AuditAction::WithdrawDeletion, "").await?;
        self.notify(&mut tx, &person, Notice::DeletionUndone).await?;
        tx.commit().await?;
        Ok(())
    }
}
