//! Removal of lost second factors.
//!
//! An administrator cannot verify that a request comes from the owner. So the owner is notified by mail and on every
//! page, and has a day to cancel. Only then are the factors removed and all sign-ins revoked.

use futures::{FutureExt, future::BoxFuture};

use super::{Actor, Administration};
use crate::{
    domain::{AppError, AuditAction, JobKind, Outcome, UserId},
    server::{
        audit::{AuditEvent, RequestMeta},
        auth::Caller,
        fault::Fault,
        jobs::{self, Handler, Policy, Run},
        mail::{MailContent, Notice},
        store::DueRemoval,
    },
};

/// The job that removes a user's lost factors.
pub struct RemoveFactors(pub Administration);

impl Handler for RemoveFactors {
    fn policy(&self) -> Policy {
        Policy::new(JobKind::RemoveFactors)
    }

    fn run<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<jobs::Outcome, Fault>> {
        self.0.remove_lost_factors(run).boxed()
    }
}

impl Administration {
    /// Schedules the removal of a user's factors, and notifies the user.
    pub(super) async fn schedule_factor_removal(&self, actor: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let asked_by = actor.id().ok_or(AppError::Forbidden)?;
        if asked_by == user {
            return Err(AppError::conflict(reason!("own_factors")).into());
        }
        let now = self.clock.now();
        let due_at = now.plus_seconds(self.factor_removal_seconds);
        let mut tx = self.begin_change(actor).await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        let mut owned = tx.owned_by(user);
        if owned.list_factors().await?.is_empty() {
            return Err(AppError::conflict(reason!("person_without_factor")).into());
        }
        if !owned.insert_factor_removal(asked_by, now, due_at).await? {
            return Err(AppError::conflict(reason!("removal_begun")).into());
        }
        self.record_change(&mut tx, actor, user, AuditAction::AskFactorRemoval, "").await?;
        let write = |texts| MailContent::factor_removal(texts, due_at);
        self.notifier.enqueue(&mut tx, &person.summary.email, write).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Cancels a scheduled removal; the factors stay.
    pub(super) async fn cancel_factor_removal(&self, actor: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(actor).await?;
        let person = tx.admin().find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.owned_by(user).delete_factor_removal().await? {
            return Err(AppError::conflict(reason!("removal_over")).into());
        }
        self.record_change(&mut tx, actor, user, AuditAction::WithdrawFactorRemoval, "").await?;
        self.notify(&mut tx, &person, Notice::FactorRemovalWithdrawn).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Cancels the scheduled removal of the caller's own factors.
    ///
    /// # Errors
    /// `NotFound` if no removal is scheduled.
    pub async fn refuse_factor_removal(&self, caller: &Caller, meta: &RequestMeta) -> Result<(), Fault> {
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        if !tx.owned_by(user).delete_factor_removal().await? {
            return Err(AppError::NotFound.into());
        }
        meta.record_own(&mut tx, &self.clock, user, AuditAction::RefuseFactorRemoval).await?;
        self.notifier.notify(&mut tx, &caller.user.email, Notice::FactorRemovalRefused, meta).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes the factors of a user once the removal is due, and revokes their sign-ins.
    async fn remove_lost_factors(&self, run: &Run) -> Result<jobs::Outcome, Fault> {
        let user = UserId::from_uuid(run.subject());
        let mut tx = self.store.write().await?;
        // Lock order: the account before its other rows.
        tx.owned_by(user).lock_password().await?;
        let due = tx.owned_by(user).take_due_factor_removal(self.clock.now()).await?;
        let Some(DueRemoval { asked_by, .. }) = due else {
            let at = tx.owned_by(user).find_factor_removal().await?;
            return Ok(at.map_or(jobs::Outcome::Done, jobs::Outcome::NotYet));
        };
        run.finish(&mut tx).await?;
        if let Some(person) = tx.admin().find_person(user).await?
            // The user may have removed the factors in the meantime.
            && tx.owned_by(user).delete_factors().await? > 0
        {
            self.accounts.revoke_sign_ins(&mut tx, user).await?;
            let action = AuditAction::RemoveLostFactors;
            let event = AuditEvent { actor: asked_by, subject: Some(user), action, outcome: Outcome::Done, detail: "" };
            RequestMeta::server().record(&mut tx, &self.clock, &event).await?;
            self.notify(&mut tx, &person, Notice::LostFactorsRemoved).await?;
        }
        tx.commit().await?;
        Ok(jobs::Outcome::Done)
    }
}
