//! The job queue: waiting, running and failed background jobs.
//!
//! A job is identified by its kind and its subject. It is enqueued in the transaction of the action that needs it. Only
//! one instance at a time runs a job, under a lease.

use uuid::Uuid;

use super::{
    Admin, Engine, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{Job, JobKind, JobState, Timestamp, limits};

/// A job that this process has claimed exclusively.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct ClaimedJob {
    /// The kind.
    pub kind: JobKind,
    /// The id of the subject, for example a mail; nil for a scheduled job.
    pub subject_id: Uuid,
    /// The id of the lease, unique to this attempt.
    pub lease: Uuid,
    /// When it was created.
    pub created_at: Timestamp,
    /// The number of attempts, including this one.
    pub attempts: i64,
}

macro_rules! job_rows {
    () => {
        "select j.kind, j.subject_id as subject, coalesce(m.recipient, u.email, o.email) as about, j.state, j.created_at, j.run_at,
                j.attempts, j.done, j.total, j.last_error
         from jobs j
         left join mails m on j.kind = 'send_mail' and m.id = j.subject_id
         left join users u on j.kind in ('delete_account', 'remove_factors') and u.id = j.subject_id
         left join exports e on j.kind = 'build_export' and e.id = j.subject_id
         left join users o on o.id = e.user_id"
    };
}

impl Tx {
    /// Enqueues a job to run at `run_at`. Does nothing if it already waits or runs; a failed job is reset and waits
    /// again. The commit of this transaction wakes the job runner.
    pub async fn enqueue(
        &mut self,
        kind: JobKind,
        subject: Uuid,
        run_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into jobs (kind, subject_id, state, run_at, created_at) values ($1, $2, 'waiting', $3, $4)
             on conflict (kind, subject_id) do update
               set state = 'waiting', run_at = excluded.run_at, attempts = 0, done = 0, total = 0, last_error = null
               where jobs.state = 'failed'",
            kind,
            subject,
            run_at,
            now,
        )?;
        self.notify_jobs_after_commit();
        Ok(())
    }
}

impl Admin<'_> {
    /// Gives a job up and deletes it; `false` if it does not exist or is running.
    pub async fn give_up_job(&mut self, kind: JobKind, subject: Uuid) -> Result<bool, StoreError> {
        let sql = "delete from jobs where kind = $1 and subject_id = $2 and state <> 'running'";
        if execute!(self.tx, sql, kind, subject)? == 0 {
            return Ok(false);
        }
        self.tx.engine().mark_subject_failed(kind, subject).await?;
        Ok(true)
    }

    /// Lists jobs: failed ones, newest first; then running ones; then waiting ones by due time. A running job whose
    /// lease has expired waits for another instance to claim it.
    pub async fn list_jobs(&mut self) -> Result<Vec<Job>, StoreError> {
        let known = JobKind::ALL.map(|kind| format!("'{}'", kind.as_str())).join(", ");
        let sql = format!(
            concat!(
                job_rows!(),
                " where j.kind in ({known})
                  order by case j.state when 'failed' then 0 when 'running' then 1 else 2 end,
                           case j.state when 'failed' then -j.run_at else j.run_at end, j.kind, j.subject_id
                  limit $1"
            ),
            known = known
        );
        Ok(fetch_all!(self.tx, Job, &sql, i64::from(limits::MAX_LISTED_JOBS))?)
    }

    /// One job.
    pub async fn find_job(&mut self, kind: JobKind, subject: Uuid) -> Result<Option<Job>, StoreError> {
        let sql = concat!(job_rows!(), " where j.kind = $1 and j.subject_id = $2");
        Ok(fetch_optional!(self.tx, Job, sql, kind, subject)?)
    }

    /// The number of jobs in each state, without states that have none.
    pub async fn count_jobs(&mut self) -> Result<Vec<(JobState, i64)>, StoreError> {
        Ok(fetch_all!(self.tx, (JobState, i64), "select state, count(*) from jobs group by state")?)
    }
}

impl Engine<'_> {
    /// Enqueues missing jobs: during an upgrade, an instance of a version without jobs may have written rows that need
    /// one. Returns the number of enqueued jobs.
    pub async fn enqueue_missing(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        const MISSING: [(JobKind, &str); 4] = [
            (JobKind::SendMail, "select id, created_at as run_at from mails where sent_at is null and text <> ''"),
            (
                JobKind::BuildExport,
                "select id, created_at as run_at from exports where state in ('waiting', 'working')",
            ),
            (JobKind::DeleteAccount, "select id, deletion_at as run_at from users where deletion_at is not null"),
            (JobKind::RemoveFactors, "select user_id as id, due_at as run_at from factor_removals"),
        ];
        let mut enqueued = 0;
        for (kind, what) in MISSING {
            let sql = format!(
                "insert into jobs (kind, subject_id, state, run_at, created_at)
                 select $1, w.id, 'waiting', w.run_at, $2 from ({what}) w
                 where not exists (select 1 from jobs j where j.kind = $1 and j.subject_id = w.id)"
            );
            enqueued += execute!(self.tx, &sql, kind, now)?;
        }
        Ok(enqueued)
    }

    /// Cancels a job; `false` if it does not exist. A running job will find that its subject is gone.
    pub async fn cancel_job(&mut self, kind: JobKind, subject: Uuid) -> Result<bool, StoreError> {
        Ok(execute!(self.tx, "delete from jobs where kind = $1 and subject_id = $2", kind, subject)? == 1)
    }

    /// The kinds with at least one due job.
    pub async fn list_due_kinds(&mut self, now: Timestamp) -> Result<Vec<JobKind>, StoreError> {
        let sql = "select distinct kind from jobs where state <> 'failed' and run_at <= $1";
        let rows = fetch_all!(self.tx, (String,), sql, now)?;
        // Kinds that only another version knows are skipped; an instance of that version runs them.
        Ok(rows.into_iter().filter_map(|(kind,)| kind.parse().ok()).collect())
    }

    /// Claims the job of a kind that has been due the longest, with a lease until `lease_until`. Of several instances,
    /// only one gets it.
    pub async fn claim_job(
        &mut self,
        kind: JobKind,
        lease: Uuid,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<ClaimedJob>, StoreError> {
        // The conditions are repeated outside the subquery for an instance that waited for the claim of another one.
        Ok(fetch_optional!(
            self.tx,
            ClaimedJob,
            "update jobs set state = 'running', lease = $2, run_at = $4, attempts = attempts + 1, done = 0, total = 0
             where kind = $1
               and subject_id = (select subject_id from jobs where kind = $1 and state <> 'failed' and run_at <= $3
                                 order by run_at, subject_id limit 1)
               and state <> 'failed' and run_at <= $3
             returning kind, subject_id, lease, created_at, attempts",
            kind,
            lease,
            now,
            lease_until,
        )?)
    }

    /// Renews the lease of a job and stores its progress; `false` if the lease is lost. On PostgreSQL, no other
    /// instance can claim the job until this transaction ends.
    pub async fn renew_job(
        &mut self,
        job: &ClaimedJob,
        (done, total): (i64, i64),
        lease_until: Timestamp,
    ) -> Result<bool, StoreError> {
        let renewed = execute!(
            self.tx,
            "update jobs set run_at = $4, done = $5, total = $6
             where kind = $1 and subject_id = $2 and lease = $3 and state = 'running'",
            job.kind,
            job.subject_id,
            job.lease,
            lease_until,
            done,
            total,
        )?;
        Ok(renewed == 1)
    }

    /// Deletes a job that has succeeded; `false` if the lease is lost. Should be called in the transaction of the last
    /// change that the job makes.
    pub async fn finish_job(&mut self, job: &ClaimedJob) -> Result<bool, StoreError> {
        let sql = "delete from jobs where kind = $1 and subject_id = $2 and lease = $3";
        Ok(execute!(self.tx, sql, job.kind, job.subject_id, job.lease)? == 1)
    }

    /// Makes a job wait until `run_at`, without a failure. If it `succeeded`, its attempts are reset; otherwise this
    /// attempt does not count.
    pub async fn reschedule_job(
        &mut self,
        job: &ClaimedJob,
        run_at: Timestamp,
        succeeded: bool,
    ) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "update jobs set state = 'waiting', lease = null, run_at = $4, done = 0, total = 0,
                             attempts = case when $5 then 0 else attempts - 1 end,
                             last_error = case when $5 then null else last_error end
             where kind = $1 and subject_id = $2 and lease = $3",
            job.kind,
            job.subject_id,
            job.lease,
            run_at,
            succeeded,
        )?;
        Ok(())
    }

    /// Records a failed attempt. The job waits for a retry at `next`. With `None` it has failed permanently, and its
    /// subject is updated accordingly.
    pub async fn fail_job(
        &mut self,
        job: &ClaimedJob,
        error: &str,
        next: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let state = if next.is_some() { JobState::Waiting } else { JobState::Failed };
        let failed = execute!(
            self.tx,
            "update jobs set state = $4, lease = null, run_at = $5, last_error = $6
             where kind = $1 and subject_id = $2 and lease = $3",
            job.kind,
            job.subject_id,
            job.lease,
            state,
            next.unwrap_or(now),
            error,
        )?;
        if failed == 1 && state == JobState::Failed {
            self.mark_subject_failed(job.kind, job.subject_id).await?;
        }
        Ok(())
    }

    /// Updates the subject of a job that will not be retried.
    async fn mark_subject_failed(&mut self, kind: JobKind, subject: Uuid) -> Result<(), StoreError> {
        match kind {
            // The bodies may contain secret links.
            JobKind::SendMail => execute!(self.tx, "update mails set text = '', html = '' where id = $1", subject)?,
            JobKind::BuildExport => execute!(
                self.tx,
                "update exports set state = 'failed' where id = $1 and state in ('waiting', 'working')",
                subject
            )?,
            JobKind::DeleteAccount
            | JobKind::RemoveFactors
            | JobKind::WriteTitle
            | JobKind::RemoveChats
            | JobKind::ApplyRetention
            | JobKind::DeleteExpired => 0,
        };
        Ok(())
    }

    /// Makes a job run now; a failed job starts again from its first attempt. `false` if the job does not exist, is
    /// running, or is a failed mail, whose text is deleted.
    pub async fn retry_job(&mut self, kind: JobKind, subject: Uuid, now: Timestamp) -> Result<bool, StoreError> {
        let waits = execute!(
            self.tx,
            "update jobs set attempts = case when state = 'failed' then 0 else attempts end, state = 'waiting', run_at = $3
             where kind = $1 and subject_id = $2 and state <> 'running' and (state = 'waiting' or kind <> 'send_mail')",
            kind,
            subject,
            now,
        )?;
        self.tx.notify_jobs_after_commit();
        Ok(waits == 1)
    }

    /// Whether a job of a kind is due.
    pub async fn is_job_due(&mut self, kind: JobKind, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "select kind from jobs where kind = $1 and state <> 'failed' and run_at <= $2 limit 1";
        Ok(fetch_optional!(self.tx, (JobKind,), sql, kind, now)?.is_some())
    }

    /// Whether any instance is running a job of a kind.
    pub async fn is_job_running(&mut self, kind: JobKind, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "select kind from jobs where kind = $1 and state = 'running' and run_at > $2 limit 1";
        Ok(fetch_optional!(self.tx, (JobKind,), sql, kind, now)?.is_some())
    }
}
