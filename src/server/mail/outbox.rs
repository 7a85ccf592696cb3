//! Sends queued mails: retries where that may help, and gives up where it cannot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};

use super::{MailError, Mailer, smtp::Remedy};
use crate::{
    domain::{AuditAction, JobKind, Outcome as AuditOutcome, Timestamp},
    server::{
        clock::Clock,
        config::MailConfig,
        fault::Fault,
        jobs::{Handler, Outcome, Policy, Run},
        store::{NewAuditEntry, Store, StoreError},
    },
};

/// The timeout of one attempt: sending, and marking the mail as sent.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
/// The number of attempts to mark a mail as sent while the database is unavailable, and the delay between them.
const MARK_ATTEMPTS: u32 = 5;
const MARK_RETRY_DELAY: Duration = Duration::from_secs(1);
/// The job policy of mails.
const POLICY: Policy = Policy {
    timeout: ATTEMPT_TIMEOUT,
    backoff: &[60, 300, 1_800, 7_200, 21_600],
    finish_on_shutdown: true,
    ..Policy::new(JobKind::SendMail)
};
/// The age after which an unsent mail is given up, in seconds.
const MAX_AGE_SECONDS: i64 = 2 * 86_400;
/// Seconds for which no mails are sent after the mail server rejected our sign-in: repeated attempts with a wrong
/// password can lock the account.
const SERVER_PAUSE_SECONDS: i64 = 300;
/// The minimum delay until the next attempt for the mail that failed then, in seconds.
const MIN_SERVER_RETRY_SECONDS: i64 = 900;
/// Interval at which a mail server fault is recorded in the audit log again, in seconds.
const FAULT_REPORT_INTERVAL_SECONDS: i64 = 86_400;

/// Sends the mails in the database: one job per mail.
#[derive(Debug, Clone)]
pub struct Outbox {
    store: Store,
    clock: Clock,
    mailer: Mailer,
    /// The time before which nothing is sent, in microseconds.
    paused_until: Arc<AtomicI64>,
}

impl Handler for Outbox {
    fn policy(&self) -> Policy {
        POLICY
    }

    fn run<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<Outcome, Fault>> {
        self.send(run).boxed()
    }

    fn paused_until(&self) -> Option<Timestamp> {
        Some(Timestamp::from_micros(self.paused_until.load(Ordering::Relaxed)))
    }
}

impl Outbox {
    /// An outbox for the mails in this store, with the configured mail server.
    ///
    /// # Errors
    /// The same as [`Mailer::new`].
    pub fn new(store: Store, clock: Clock, config: &MailConfig) -> Result<Self, MailError> {
        Ok(Self { store, clock, mailer: Mailer::new(config)?, paused_until: Arc::default() })
    }

    async fn send(&self, run: &Run) -> Result<Outcome, Fault> {
        let mail = self.store.read().await?.engine().find_unsent_mail(run.subject()).await?;
        let Some(mail) = mail else { return Ok(Outcome::Done) };
        let Err(error) = self.mailer.send(&mail).await else { return self.mark_sent(run).await };
        // Logs neither the address nor the content, and so not the server's message, which repeats the address.
        tracing::warn!(mail = %mail.id, attempts = run.attempts(), code = error.code(), "a mail was not sent");
        let (now, remedy) = (self.clock.now(), error.remedy());
        if remedy == Remedy::ChangeSetting {
            self.paused_until.store(now.plus_seconds(SERVER_PAUSE_SECONDS).micros(), Ordering::Relaxed);
            self.record_server_fault(&error, now).await?;
        }
        Ok(Outcome::Failed(error.to_string(), next_attempt(run.attempts(), mail.created_at, now, remedy)))
    }

    /// Marks a mail as sent. A mail that was sent but not marked would be sent again.
    async fn mark_sent(&self, run: &Run) -> Result<Outcome, Fault> {
        for _ in 0..MARK_ATTEMPTS {
            match self.finish(run).await {
                Ok(()) => return Ok(Outcome::Done),
                Err(error) => {
                    tracing::warn!(mail = %run.subject(), %error, "cannot mark a mail as sent; retrying");
                }
            }
            tokio::time::sleep(MARK_RETRY_DELAY).await;
        }
        self.finish(run).await?;
        Ok(Outcome::Done)
    }

    async fn finish(&self, run: &Run) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        run.finish(&mut tx).await?;
        // Even if the lease was lost in the meantime: the mail was sent.
        tx.engine().finish_mail(run.subject(), self.clock.now()).await?;
        tx.commit().await
    }

    /// Records in the audit log that the mail server rejects us, once a day.
    async fn record_server_fault(&self, error: &MailError, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        let (attempts, _) = tx.count_attempt("mail server fault", now, FAULT_REPORT_INTERVAL_SECONDS).await?;
        if attempts > 1 {
            return tx.commit().await;
        }
        let code = error.code().map_or_else(String::new, |code| format!(" ({code})"));
        let detail = format!(
            "Mail: the mail server cannot be used as it is configured{code}. Compare `mail.smtp_url` and `mail.from`; \
             mails wait, and are tried again for two days."
        );
        tx.insert_audit_entry(&NewAuditEntry {
            id: self.clock.new_id(),
            at: now,
            actor: None,
            subject: None,
            action: AuditAction::SetupFault,
            outcome: AuditOutcome::Refused,
            detail: &detail,
            address: "0.0.0.0",
            user_agent: "server",
        })
        .await?;
        tx.commit().await
    }
}

/// The time of the next attempt after a failure; `None` if a retry is useless or the mail is too old.
fn next_attempt(attempts: i64, created_at: Timestamp, now: Timestamp, remedy: Remedy) -> Option<Timestamp> {
    let pause = POLICY.retry_delay(attempts);
    let pause = match remedy {
        Remedy::GiveUp => return None,
        Remedy::Retry => pause,
        Remedy::ChangeSetting => pause.max(MIN_SERVER_RETRY_SECONDS),
    };
    let next = now.plus_seconds(pause);
    (next <= created_at.plus_seconds(MAX_AGE_SECONDS)).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_follow_the_backoff_until_the_mail_is_too_old() {
        let begun = Timestamp::from_micros(0);
        let mut now = begun;
        let mut pauses = Vec::new();
        for attempts in 1.. {
            assert_eq!(next_attempt(attempts, begun, now, Remedy::GiveUp), None);
            let Some(next) = next_attempt(attempts, begun, now, Remedy::Retry) else { break };
            let slowly = next_attempt(attempts, begun, now, Remedy::ChangeSetting);
            assert_eq!(slowly, Some(next.max(now.plus_seconds(MIN_SERVER_RETRY_SECONDS))));
            pauses.push((next.micros() - now.micros()) / 60_000_000);
            now = next;
        }
        assert_eq!(pauses, [1, 5, 30, 120, 360, 360, 360, 360, 360, 360, 360]);
    }
}
