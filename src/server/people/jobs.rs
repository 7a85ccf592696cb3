//! What administrators and the operator see of the jobs in the background, and do with them.

use uuid::Uuid;

use super::{Actor, Administration};
use crate::{
    domain::{AppError, AuditAction, JobAction, JobKind, JobState, Jobs, Outcome},
    server::{audit::AuditEvent, fault::Fault},
};

impl Administration {
    /// What waits, runs and failed.
    ///
    /// # Errors
    /// `Forbidden` for members.
    pub async fn list_jobs(&self, by: &Actor<'_>) -> Result<Jobs, Fault> {
        by.check()?;
        let mut tx = self.store.read().await?;
        let jobs = tx.list_jobs().await?;
        let counts = tx.count_jobs().await?;
        let count = |state: JobState| counts.iter().find(|(of, _)| *of == state).map_or(0, |(_, count)| *count);
        let (failed, running) = (count(JobState::Failed), count(JobState::Running));
        Ok(Jobs { jobs, failed, running, waiting: count(JobState::Waiting) })
    }

    /// Has a job tried again now, or not any more.
    ///
    /// # Errors
    /// `Forbidden` for members; `NotFound` where there is no such job (any more); `Conflict` where this cannot be done with
    /// it, or it runs.
    pub async fn change_job(
        &self,
        by: &Actor<'_>,
        kind: JobKind,
        subject: Uuid,
        action: JobAction,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.begin_change(by).await?;
        let job = tx.find_job(kind, subject).await?.ok_or(AppError::NotFound)?;
        let (is_possible, audited) = match action {
            JobAction::TryAgain => (job.can_be_tried_again(), AuditAction::RetryJob),
            JobAction::GiveUp => (job.can_be_given_up(), AuditAction::GiveUpJob),
        };
        let changed = is_possible
            && match action {
                JobAction::TryAgain => tx.try_job_again(kind, subject, now).await?,
                JobAction::GiveUp => tx.give_job_up(kind, subject).await?,
            };
        if !changed {
            return Err(AppError::conflict(reason!("job_changed")).into());
        }
        // Neither the address nor the error: what was written down must not name whoever is gone by then.
        let detail = kind.english();
        let event = AuditEvent { actor: by.id(), subject: None, action: audited, outcome: Outcome::Done, detail };
        by.meta.record(&mut tx, &self.clock, &event).await?;
        tx.commit().await?;
        Ok(())
    }
}
