//! Second factors that their owner has lost.
//!
//! An administrator cannot know who says so. Therefore the owner is told by mail and above every page, and has a day
//! to refuse; only then the factors go, and with them every sign-in.

use std::time::Duration;

use super::By;
use crate::{
    domain::{AppError, AuditAction, Outcome, Timestamp, UserId},
    server::{
        auth::{Accounts, Caller, Origin, origin::Act},
        fault::Fault,
        mail::Letter,
        store::DueRemoval,
    },
};

/// Time between two looks for notices that are over.
const PERIOD: Duration = Duration::from_secs(60);

impl Accounts {
    /// Begins the notice after which a person's factors are removed.
    pub(super) async fn ask_factor_removal(&self, by: &By<'_>, user: UserId) -> Result<(), Fault> {
        let asked_by = by.actor().ok_or(AppError::Forbidden)?;
        if asked_by == user {
            let reason = "These are your own second factors. Remove them in your settings.";
            return Err(AppError::conflict(reason).into());
        }
        let now = self.clock.now();
        let due_at = now.plus_seconds(self.factor_removal_wait);
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        let mut owned = tx.owned_by(user);
        if owned.list_factors().await?.is_empty() {
            return Err(AppError::conflict("This person has no second factor.").into());
        }
        if !owned.insert_factor_removal(asked_by, now, due_at).await? {
            return Err(AppError::conflict("The notice has begun already.").into());
        }
        self.note_change(&mut tx, by, user, AuditAction::AskFactorRemoval, "").await?;
        self.post(&mut tx, &person.summary.email, &Letter::factor_removal(due_at)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends the notice; the factors stay.
    pub(super) async fn withdraw_factor_removal(&self, by: &By<'_>, user: UserId) -> Result<(), Fault> {
        let mut tx = self.begin_change(by).await?;
        let person = tx.find_person(user).await?.ok_or(AppError::NotFound)?;
        if !tx.owned_by(user).delete_factor_removal().await? {
            return Err(AppError::conflict("There is no notice any more. Reload the page.").into());
        }
        self.note_change(&mut tx, by, user, AuditAction::WithdrawFactorRemoval, "").await?;
        self.tell(&mut tx, &person, "Your second factors stay: their removal was withdrawn.").await?;
        tx.commit().await?;
        Ok(())
    }

    /// When the caller's second factors are to be removed, if they are.
    ///
    /// # Errors
    /// As the database says.
    pub async fn find_factor_removal(&self, caller: &Caller) -> Result<Option<Timestamp>, Fault> {
        Ok(self.store.read().await?.owned_by(caller.user.id).find_factor_removal().await?)
    }

    /// The caller has not lost their second factors: they stay.
    ///
    /// # Errors
    /// `NotFound` where nobody has said that they are lost.
    pub async fn refuse_factor_removal(&self, caller: &Caller, origin: &Origin) -> Result<(), Fault> {
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        if !tx.owned_by(user).delete_factor_removal().await? {
            return Err(AppError::NotFound.into());
        }
        origin.note(&mut tx, &self.clock, user, AuditAction::RefuseFactorRemoval).await?;
        self.notify(&mut tx, &caller.user.email, "The removal of your second factors was refused.", origin).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Removes the factors whose notice is over, and ends the sign-ins of their owners. Of several instances that do
    /// so at once, one does it with each person. What goes wrong with one person is logged and tried again at the next look;
    /// it does not keep the others. Gives with how many it went well.
    ///
    /// # Errors
    /// As the database says.
    pub async fn carry_out_factor_removals(&self) -> Result<usize, Fault> {
        let due = self.store.read().await?.list_due_factor_removals(self.clock.now()).await?;
        let mut done = 0;
        for user in due {
            match self.remove_lost_factors(user).await {
                Ok(removed) => done += usize::from(removed),
                Err(fault) => {
                    tracing::error!(%fault, %user, "lost second factors could not be removed; the next look tries again");
                }
            }
        }
        Ok(done)
    }

    /// Removes one person's factors. Whether this instance took that on.
    async fn remove_lost_factors(&self, user: UserId) -> Result<bool, Fault> {
        let mut tx = self.store.write().await?;
        // The account before its other rows, as everywhere.
        tx.owned_by(user).lock_password().await?;
        let due = tx.take_due_factor_removal(user, self.clock.now()).await?;
        let Some(DueRemoval { asked_by, .. }) = due else { return Ok(false) };
        if let Some(person) = tx.find_person(user).await?
            // They may have removed them in the meantime.
            && tx.owned_by(user).delete_factors().await? > 0
        {
            self.end_everything(&mut tx, user).await?;
            let action = AuditAction::RemoveLostFactors;
            let act = Act { actor: asked_by, subject: Some(user), action, outcome: Outcome::Done, detail: "" };
            Origin::server().write(&mut tx, &self.clock, &act).await?;
            let sentence = "Your second factors were removed, because they were said to be lost. All your devices were signed out.";
            self.tell(&mut tx, &person, sentence).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Carries out what is due, again and again.
    pub async fn watch_factor_removals(self) {
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            ticks.tick().await;
            if let Err(fault) = self.carry_out_factor_removals().await {
                tracing::error!(%fault, "lost second factors could not be removed; the next look tries again");
            }
        }
    }
}
