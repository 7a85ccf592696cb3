//! Second factors that their owner has lost.
//!
//! An administrator cannot know who says so. Therefore the owner is told by mail and above every page, and has a day
//! to refuse; only then the factors go, and with them every sign-in.

use futures::{FutureExt, future::BoxFuture};

use super::{Actor, Administration};
use crate::{
    domain::{AppError, AuditAction, JobKind, Outcome, Timestamp, UserId},
    server::{
        audit::{AuditEvent, RequestMeta},
        auth::Caller,
        fault::Fault,
        jobs::{self, Handler, Policy, Run},
        mail::{Letter, Notice},
        store::DueRemoval,
    },
};

/// The job that removes a person's lost factors.
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
    /// Begins the notice after which a person's factors are removed.
    pub(super) async fn ask_factor_removal(&self, by: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let asked_by = by.id().ok_or(AppError::Forbidden)?;
        if asked_by == user {
            return Err(AppError::conflict(reason!("own_factors")).into());
        }
        let now = self.clock.now();
        let due_at = now.plus_seconds(self.factor_removal_seconds);
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        let mut owned = tx.owned_by(user);
        if owned.list_factors().await?.is_empty() {
            return Err(AppError::conflict(reason!("person_without_factor")).into());
        }
        if !owned.insert_factor_removal(asked_by, now, due_at).await? {
            return Err(AppError::conflict(reason!("removal_begun")).into());
        }
        self.record_change(&mut tx, by, user, AuditAction::AskFactorRemoval, "").await?;
        let write = |texts| Letter::factor_removal(texts, due_at);
        self.notices.post(&mut tx, &person.summary.email, write).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends the notice; the factors stay.
    pub(super) async fn withdraw_factor_removal(&self, by: &Actor<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.owned_by(user).delete_factor_removal().await? {
            return Err(AppError::conflict(reason!("removal_over")).into());
        }
        self.record_change(&mut tx, by, user, AuditAction::WithdrawFactorRemoval, "").await?;
        self.notify(&mut tx, &person, Notice::FactorRemovalWithdrawn).await?;
        tx.commit().await?;
        Ok(())
    }

    /// When the caller's second factors are to be removed, if they are.
    pub async fn find_factor_removal(&self, caller: &Caller) -> Result<Option<Timestamp>, Fault> {
        Ok(self.store.read().await?.owned_by(caller.user.id).find_factor_removal().await?)
    }

    /// The caller has not lost their second factors: they stay.
    ///
    /// # Errors
    /// `NotFound` where nobody has said that they are lost.
    pub async fn refuse_factor_removal(&self, caller: &Caller, meta: &RequestMeta) -> Result<(), Fault> {
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        if !tx.owned_by(user).delete_factor_removal().await? {
            return Err(AppError::NotFound.into());
        }
        meta.record_own(&mut tx, &self.clock, user, AuditAction::RefuseFactorRemoval).await?;
        self.notices.tell(&mut tx, &caller.user.email, Notice::FactorRemovalRefused, meta).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes the factors of the person whose notice is over, and ends their sign-ins.
    async fn remove_lost_factors(&self, run: &Run) -> Result<jobs::Outcome, Fault> {
        let user = UserId::from_uuid(run.subject());
        let mut tx = self.store.write().await?;
        // The account before its other rows, as everywhere.
        tx.owned_by(user).lock_password().await?;
        let due = tx.take_due_factor_removal(user, self.clock.now()).await?;
        let Some(DueRemoval { asked_by, .. }) = due else {
            let at = tx.owned_by(user).find_factor_removal().await?;
            return Ok(at.map_or(jobs::Outcome::Done, jobs::Outcome::NotYet));
        };
        run.finish(&mut tx).await?;
        if let Some(person) = tx.find_person(user).await?
            // They may have removed them in the meantime.
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
