//! Durable jobs: work in the background that survives a restart.
//!
//! Whoever wants something done enqueues a job in the transaction of the act (`Tx::enqueue`). The runner of one instance
//! claims it under a lease, has the [`Handler`] of its kind run it, and notes how that ended. A handler may be stopped
//! anywhere and run again, so it begins by looking at what there is to do, and finishes its job in the transaction of the
//! last thing that it does ([`Run::finish`]).
//!
//! A job that succeeds is gone. One that fails is tried again after a pause, until its [`Policy`] says that it has failed
//! for good; administrators see both. A kind with `every` is a schedule: one job that runs again and again, on one instance
//! at a time.

mod run;
mod runner;

use std::time::Duration;

use futures::future::BoxFuture;

use super::fault::Fault;
use crate::domain::{JobKind, Timestamp};

pub use run::Run;
pub use runner::{Drained, Jobs};

/// How jobs of a kind are run.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Which kind.
    pub kind: JobKind,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Seconds until the next attempt after the first, second, … failure; the last one counts on.
    pub backoff: &'static [i64],
    /// Attempts after which it has failed for good; `None`: never.
    pub attempts: Option<i64>,
    /// Seconds from the end of one run to the next, of a schedule.
    pub every: Option<i64>,
    /// Whether a run is waited for when the server stops. Otherwise it is dropped, and begun anew by whoever comes next.
    pub finishes_at_stop: bool,
}

impl Policy {
    /// What most kinds do: an hour for an attempt, pauses from a minute to an hour, tried until it succeeds.
    pub const fn new(kind: JobKind) -> Self {
        const HOUR: Duration = Duration::from_secs(3_600);
        let backoff = &[60, 120, 300, 900, 3_600];
        Self { kind, timeout: HOUR, backoff, attempts: None, every: None, finishes_at_stop: false }
    }

    /// The same for a schedule.
    pub const fn every(self, seconds: i64) -> Self {
        Self { every: Some(seconds), ..self }
    }

    /// When to try again after a failure; `None`: not any more.
    fn next_attempt(&self, attempts: i64, now: Timestamp) -> Option<Timestamp> {
        if self.attempts.is_some_and(|limit| attempts >= limit) {
            return None;
        }
        Some(now.plus_seconds(self.pause(attempts)))
    }

    /// Seconds from a failure, after so many attempts, to the next one.
    pub fn pause(&self, attempts: i64) -> i64 {
        let failures = usize::try_from(attempts).unwrap_or(usize::MAX).clamp(1, self.backoff.len());
        self.backoff[failures - 1]
    }
}

/// How an attempt ended, if not with a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It could not be done yet, which is no failure.
    NotYet(Timestamp),
    /// It failed in a way that the handler knows better than the policy: why, and when to try again, if at all.
    Failed(String, Option<Timestamp>),
}

/// What runs the jobs of one kind.
pub trait Handler: Send + Sync + 'static {
    /// How they are run.
    fn policy(&self) -> Policy;

    /// Runs one job. It may be dropped wherever it waits.
    fn run<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>>;

    /// Until when no job of this kind is to be begun.
    fn paused_until(&self) -> Option<Timestamp> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_come_to_an_end_where_the_policy_says_so() {
        let now = Timestamp::from_micros(0);
        let policy = Policy { backoff: &[1, 5, 20], attempts: Some(5), ..Policy::new(JobKind::BuildExport) };
        let next = |attempts| policy.next_attempt(attempts, now).map(|at| at.micros() / 1_000_000);
        assert_eq!([1, 2, 3, 4, 5, 6].map(next), [Some(1), Some(5), Some(20), Some(20), None, None]);
        assert_eq!(next(0), Some(1));
        let for_ever = Policy { attempts: None, ..policy };
        assert_eq!(for_ever.next_attempt(1_000, now), Some(now.plus_seconds(20)));
    }
}
