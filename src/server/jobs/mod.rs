//! Durable jobs: background work that survives a restart.
//!
//! A service enqueues a job in the transaction of the operation that requires it (`Tx::enqueue`). The runner of one
//! instance claims the job with a lease, runs it with the [`Handler`] of its kind, and records the outcome. A handler
//! may be stopped anywhere and run again, so it starts by checking what is left to do, and finishes its job in the same
//! transaction as its last change ([`Run::finish`]).
//!
//! A job that succeeds is deleted. A job that fails is retried with a backoff until its [`Policy`] gives it up;
//! administrators see both. A kind with `every` is a schedule: one job that runs periodically, on one instance at a
//! time.

mod run;
mod runner;

use std::time::Duration;

use futures::future::BoxFuture;

use super::fault::Fault;
use crate::domain::{JobKind, Timestamp};

pub use run::Run;
pub use runner::{Drained, Jobs};

/// How the jobs of a kind are run.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// The job kind.
    pub kind: JobKind,
    /// The timeout of one attempt.
    pub timeout: Duration,
    /// Seconds until the next attempt after the first, second, … failure; the last value is used for all further
    /// failures.
    pub backoff: &'static [i64],
    /// The number of attempts after which the job has failed permanently; `None` retries without limit.
    pub attempts: Option<i64>,
    /// Seconds from the end of one run to the next one. Only schedules have it.
    pub every: Option<i64>,
    /// Whether shutdown waits for a run. Otherwise the run is dropped, and the job is started again later.
    pub finish_on_shutdown: bool,
}

impl Policy {
    /// The defaults: a timeout of one hour, delays from one minute to one hour, unlimited attempts.
    pub const fn new(kind: JobKind) -> Self {
        const HOUR: Duration = Duration::from_secs(3_600);
        let backoff = &[60, 120, 300, 900, 3_600];
        Self { kind, timeout: HOUR, backoff, attempts: None, every: None, finish_on_shutdown: false }
    }

    /// Turns it into a schedule.
    pub const fn every(self, seconds: i64) -> Self {
        Self { every: Some(seconds), ..self }
    }

    /// The time of the next attempt after a failure; `None` if there is none.
    fn next_attempt(&self, attempts: i64, now: Timestamp) -> Option<Timestamp> {
        if self.attempts.is_some_and(|limit| attempts >= limit) {
            return None;
        }
        Some(now.plus_seconds(self.retry_delay(attempts)))
    }

    /// Seconds from a failure to the next attempt, after this number of attempts.
    pub fn retry_delay(&self, attempts: i64) -> i64 {
        let failures = usize::try_from(attempts).unwrap_or(usize::MAX).clamp(1, self.backoff.len());
        self.backoff[failures - 1]
    }
}

/// The outcome of an attempt that did not fail with a [`Fault`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The job succeeded.
    Done,
    /// The job cannot be done yet and is run again at this time. Does not count as a failure.
    NotYet(Timestamp),
    /// The job failed and the handler overrides the policy: the reason, and the time of the next attempt, if any.
    Failed(String, Option<Timestamp>),
}

/// Runs the jobs of one kind.
pub trait Handler: Send + Sync + 'static {
    /// The policy of this kind.
    fn policy(&self) -> Policy;

    /// Runs one job. May be cancelled at any `.await`.
    fn run<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>>;

    /// The time before which no job of this kind is started.
    fn paused_until(&self) -> Option<Timestamp> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_follow_the_backoff_until_the_attempts_are_used_up() {
        let now = Timestamp::from_micros(0);
        let policy = Policy { backoff: &[1, 5, 20], attempts: Some(5), ..Policy::new(JobKind::BuildExport) };
        let next = |attempts| policy.next_attempt(attempts, now).map(|at| at.micros() / 1_000_000);
        assert_eq!([1, 2, 3, 4, 5, 6].map(next), [Some(1), Some(5), Some(20), Some(20), None, None]);
        assert_eq!(next(0), Some(1));
        let for_ever = Policy { attempts: None, ..policy };
        assert_eq!(for_ever.next_attempt(1_000, now), Some(now.plus_seconds(20)));
    }
}
