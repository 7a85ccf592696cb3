//! Sends mails: tried again where that may help, and given up where it cannot.

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
    domain::{AuditAction, JobKind, Outcome as ActOutcome, Timestamp},
    server::{
        clock::Clock,
        config::MailConfig,
        fault::Fault,
        jobs::{Handler, Outcome, Policy, Run},
        store::{NewAuditEntry, Store, StoreError},
    },
};

/// How long an attempt may take: sending, and marking the mail as sent.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Times that it is tried to mark a mail while the database does not answer, and the pause between them.
const MARKS: u32 = 5;
const MARK_PAUSE: Duration = Duration::from_secs(1);
/// How mails are sent.
const POLICY: Policy = Policy {
    timeout: TIMEOUT,
    backoff: &[60, 300, 1_800, 7_200, 21_600],
    finishes_at_stop: true,
    ..Policy::new(JobKind::SendMail)
};
/// Seconds after which a mail is given up.
const PATIENCE_SECONDS: i64 = 2 * 86_400;
/// Seconds for which nothing is sent after the mail server did not let us in: a wrong password that is tried over and over
/// locks more than it opens.
const UNWELCOME_SECONDS: i64 = 300;
/// Seconds until the next attempt for the mail that was tried then, at least.
const UNWELCOME_PAUSE: i64 = 900;
/// Seconds in which administrators are told once that the mail server does not let us in.
const TOLD_SECONDS: i64 = 86_400;

/// Sends what waits in the database: a job for each mail.
#[derive(Debug, Clone)]
pub struct Outbox {
    store: Store,
    clock: Clock,
    mailer: Mailer,
    /// In microseconds: nothing is sent before.
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
    /// The mails in this store, and the mail server of this configuration.
    ///
    /// # Errors
    /// As [`Mailer::new`].
    pub fn new(store: Store, clock: Clock, config: &MailConfig) -> Result<Self, MailError> {
        Ok(Self { store, clock, mailer: Mailer::new(config)?, paused_until: Arc::default() })
    }

    async fn send(&self, run: &Run) -> Result<Outcome, Fault> {
        let mail = self.store.read().await?.find_unsent_mail(run.subject()).await?;
        let Some(mail) = mail else { return Ok(Outcome::Done) };
        let Err(error) = self.mailer.send(&mail).await else { return self.mark(run).await };
        // Neither the address nor the texts, and so not the server's words, which repeat the address.
        tracing::warn!(mail = %mail.id, attempts = run.attempts(), code = error.code(), "a mail was not sent");
        let (now, remedy) = (self.clock.now(), error.remedy());
        if remedy == Remedy::ChangeSetting {
            self.paused_until.store(now.plus_seconds(UNWELCOME_SECONDS).micros(), Ordering::Relaxed);
            self.tell_administrators(&error, now).await?;
        }
        Ok(Outcome::Failed(error.to_string(), next_attempt(run.attempts(), mail.created_at, now, remedy)))
    }

    /// Notes that the mail server has taken it. A mail that was taken and is not marked would be sent again.
    async fn mark(&self, run: &Run) -> Result<Outcome, Fault> {
        for _ in 0..MARKS {
            match self.finish(run).await {
                Ok(()) => return Ok(Outcome::Done),
                Err(error) => {
                    tracing::warn!(mail = %run.subject(), %error, "a mail could not be marked; trying again");
                }
            }
            tokio::time::sleep(MARK_PAUSE).await;
        }
        self.finish(run).await?;
        Ok(Outcome::Done)
    }

    async fn finish(&self, run: &Run) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        run.finish(&mut tx).await?;
        // Also where the lease was lost in the meantime: it was sent.
        tx.finish_mail(run.subject(), self.clock.now()).await?;
        tx.commit().await
    }

    /// Writes into the audit that the mail server does not let us in, once a day.
    async fn tell_administrators(&self, error: &MailError, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        let (tries, _) = tx.count_try("mail server fault", now, TOLD_SECONDS).await?;
        if tries > 1 {
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
            outcome: ActOutcome::Refused,
            detail: &detail,
            address: "0.0.0.0",
            user_agent: "server",
        })
        .await?;
        tx.commit().await
    }
}

/// When to try again after a failure; `None` where that is of no use, or where it has been long enough.
fn next_attempt(attempts: i64, created_at: Timestamp, now: Timestamp, remedy: Remedy) -> Option<Timestamp> {
    let pause = POLICY.pause(attempts);
    let pause = match remedy {
        Remedy::GiveUp => return None,
        Remedy::TryLater => pause,
        Remedy::ChangeSetting => pause.max(UNWELCOME_PAUSE),
    };
    let next = now.plus_seconds(pause);
    (next <= created_at.plus_seconds(PATIENCE_SECONDS)).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_and_come_to_an_end() {
        let begun = Timestamp::from_micros(0);
        let mut now = begun;
        let mut pauses = Vec::new();
        for attempts in 1.. {
            assert_eq!(next_attempt(attempts, begun, now, Remedy::GiveUp), None);
            let Some(next) = next_attempt(attempts, begun, now, Remedy::TryLater) else { break };
            let slowly = next_attempt(attempts, begun, now, Remedy::ChangeSetting);
            assert_eq!(slowly, Some(next.max(now.plus_seconds(UNWELCOME_PAUSE))));
            pauses.push((next.micros() - now.micros()) / 60_000_000);
            now = next;
        }
        assert_eq!(pauses, [1, 5, 30, 120, 360, 360, 360, 360, 360, 360, 360]);
    }
}
