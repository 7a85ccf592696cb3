//! Background jobs: listing, retrying and cancelling them.

use uuid::Uuid;

use super::{Actor, Administration};
use crate::{
    domain::{AppError, AuditAction, JobAction, JobKind, JobState, Jobs, Outcome},
    server::{audit::AuditEvent, fault::Fault},
};

impl Administration {
    /// The waiting, running and failed jobs.
    ///
    /// # Errors
    /// `Forbidden` for members.
    pub async fn list_jobs(&self, actor: &Actor<'_>) -> Result<Jobs, Fault> {
        actor.require_administrator()?;
        let mut tx = self.store.read().await?;
        let jobs = tx.admin().list_jobs().await?;
        let counts = tx.admin().count_jobs().await?;
        let count = |state: JobState| counts.iter().find(|(of, _)| *of == state).map_or(0, |(_, count)| *count);
        let (failed, running) = (count(JobState::Failed), count(JobState::Running));
        Ok(Jobs { jobs, failed, running, waiting: count(JobState::Waiting) })
    }

    /// Retries a job now, or gives it up.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound` if there is no such job (any more); `Conflict` if the job's state does not
    /// allow it.
    pub async fn change_job(
        &self,
        actor: &Actor<'_>,
        kind: JobKind,
        subject: Uuid,
        action: JobAction,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.begin_change(actor).await?;
        let job = tx.admin().find_job(kind, subject).await?.ok_or(AppError::NotFound)?;
        let (is_possible, audited) = match action {
            JobAction::Retry => (job.can_be_retried(), AuditAction::RetryJob),
            JobAction::GiveUp => (job.can_be_given_up(), AuditAction::GiveUpJob),
        };
        let changed = is_possible
            && match action {
                JobAction::Retry => tx.engine().retry_job(kind, subject, now).await?,
                JobAction::GiveUp => tx.admin().give_up_job(kind, subject).await?,
            };
        if !changed {
            return Err(AppError::conflict(reason!("job_changed")).into());
        }
        // Neither the address nor the error: audit entries must not identify a user whose account is deleted later.
        let detail = kind.english();
        let event = AuditEvent { actor: actor.id(), subject: None, action: audited, outcome: Outcome::Done, detail };
        actor.meta.record(&mut tx, &self.clock, &event).await?;
        tx.commit().await?;
        Ok(())
    }
}
