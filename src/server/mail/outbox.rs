//! The queue of mails: claimed under a lease, sent, marked; tried again where that may help, and given up where it cannot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{MailError, Mailer, smtp::Remedy};
use crate::{
    domain::{AuditAction, Outcome, Timestamp},
    server::{
        clock::Clock,
        config::MailConfig,
        store::{ClaimedMail, NewAuditEntry, Store, StoreError, Tx},
    },
};

/// Time between two looks into the queue.
const PERIOD: Duration = Duration::from_secs(2);
/// How long nobody else tries a mail that was claimed. Longer than sending may take.
const LEASE_SECONDS: i64 = 120;
/// Times that it is tried to mark a mail while the database does not answer, and the pause between them.
const MARKS: u32 = 5;
const MARK_PAUSE: Duration = Duration::from_secs(1);
/// Seconds until the next attempt after the first, second, … failure; the last one counts on.
const DELAYS: [i64; 5] = [60, 300, 1_800, 7_200, 21_600];
/// Seconds after which a mail is given up.
const PATIENCE_SECONDS: i64 = 2 * 86_400;
/// Seconds for which nothing is sent after the mail server did not let us in: a wrong password that is tried over and over
/// locks more than it opens.
const UNWELCOME_SECONDS: i64 = 300;
/// Seconds until the next attempt for the mail that was tried then, at least.
const UNWELCOME_DELAY: i64 = 900;
/// Seconds in which administrators are told once that the mail server does not let us in.
const TOLD_SECONDS: i64 = 86_400;
/// Bytes of a mail server's answer that are kept.
const ERROR_BYTES: usize = 500;

/// Sends what waits in the database.
#[derive(Debug, Clone)]
pub struct Outbox {
    store: Store,
    clock: Clock,
    mailer: Mailer,
    /// In microseconds: nothing is sent before.
    paused_until: Arc<AtomicI64>,
}

/// What came of looking for a mail to send.
enum Tried {
    /// There was none to be tried now.
    Nothing,
    Sent,
    /// It was given up; others may fare better.
    GivenUp,
    /// The mail server may need a pause.
    Failed,
}

impl Outbox {
    /// The queue in this store, and the mail server of this configuration.
    ///
    /// # Errors
    /// As [`Mailer::new`].
    pub fn new(store: Store, clock: Clock, config: &MailConfig) -> Result<Self, MailError> {
        Ok(Self { store, clock, mailer: Mailer::new(config)?, paused_until: Arc::default() })
    }

    /// Sends what is due until `shutdown`. A mail that is being sent then is sent and marked first.
    pub async fn work(self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.send_due(&shutdown).await {
                tracing::error!(%error, "the queue of mails cannot be used; the next look tries again");
            }
        }
    }

    /// Sends the mails that are due, one after another, until the mail server seems to need a pause.
    /// No further one is begun once `shutdown` is cancelled. Gives how many were sent.
    ///
    /// # Errors
    /// As the database says.
    pub async fn send_due(&self, shutdown: &CancellationToken) -> Result<u32, StoreError> {
        let mut sent = 0;
        while !shutdown.is_cancelled() {
            match self.send_next().await? {
                Tried::Sent => sent += 1,
                Tried::GivenUp => {}
                Tried::Nothing | Tried::Failed => break,
            }
        }
        Ok(sent)
    }

    /// Claims and sends one mail.
    async fn send_next(&self) -> Result<Tried, StoreError> {
        let (lease, now) = (self.clock.new_id(), self.clock.now());
        if now.micros() < self.paused_until.load(Ordering::Relaxed) {
            return Ok(Tried::Nothing);
        }
        if !self.store.read().await?.has_due_mail(now).await? {
            return Ok(Tried::Nothing);
        }
        let mut tx = self.store.write().await?;
        let claimed = tx.claim_mail(lease, now, now.plus_seconds(LEASE_SECONDS)).await?;
        tx.commit().await?;
        let Some(mail) = claimed else { return Ok(Tried::Nothing) };
        let outcome = self.mailer.send(&mail).await;
        if let Err(error) = &outcome {
            // Neither the address nor the texts, and so not the server's words, which repeat the address.
            tracing::warn!(mail = %mail.id, attempts = mail.attempts, code = error.code(), "a mail was not sent");
        }
        // A mail that was taken and is not marked would be sent again.
        for _ in 0..MARKS {
            match self.mark(&mail, lease, &outcome).await {
                Ok(tried) => return Ok(tried),
                Err(error) => tracing::warn!(mail = %mail.id, %error, "a mail could not be marked; trying again"),
            }
            tokio::time::sleep(MARK_PAUSE).await;
        }
        self.mark(&mail, lease, &outcome).await
    }

    /// Notes how sending a mail went.
    async fn mark(
        &self,
        mail: &ClaimedMail,
        lease: Uuid,
        outcome: &Result<(), MailError>,
    ) -> Result<Tried, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let tried = match outcome {
            Ok(()) => {
                tx.finish_mail(mail.id, lease, now).await?;
                Tried::Sent
            }
            Err(error) => {
                let remedy = error.remedy();
                let next = next_attempt(mail, now, remedy);
                if next.is_none() {
                    tracing::warn!(mail = %mail.id, attempts = mail.attempts, "a mail was given up");
                }
                tx.postpone_mail(mail.id, lease, &shortened(error), next).await?;
                if remedy == Remedy::ChangeSetting {
                    self.tell_administrators(&mut tx, error, now).await?;
                    self.paused_until.store(now.plus_seconds(UNWELCOME_SECONDS).micros(), Ordering::Relaxed);
                }
                if remedy == Remedy::GiveUp { Tried::GivenUp } else { Tried::Failed }
            }
        };
        tx.commit().await?;
        Ok(tried)
    }

    /// Writes into the audit that the mail server does not let us in, once a day.
    async fn tell_administrators(&self, tx: &mut Tx, error: &MailError, now: Timestamp) -> Result<(), StoreError> {
        let (tries, _) = tx.count_try("mail server fault", now, TOLD_SECONDS).await?;
        if tries > 1 {
            return Ok(());
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
            outcome: Outcome::Refused,
            detail: &detail,
            address: "0.0.0.0",
            user_agent: "server",
        })
        .await
    }
}

/// When to try again after a failure; `None` where that is of no use, or where it has been long enough.
fn next_attempt(mail: &ClaimedMail, now: Timestamp, remedy: Remedy) -> Option<Timestamp> {
    let failures = usize::try_from(mail.attempts).unwrap_or(usize::MAX).clamp(1, DELAYS.len());
    let delay = match remedy {
        Remedy::GiveUp => return None,
        Remedy::TryLater => DELAYS[failures - 1],
        Remedy::ChangeSetting => DELAYS[failures - 1].max(UNWELCOME_DELAY),
    };
    let next = now.plus_seconds(delay);
    (next <= mail.created_at.plus_seconds(PATIENCE_SECONDS)).then_some(next)
}

fn shortened(error: &MailError) -> String {
    // NUL cannot be kept by PostgreSQL, and none of the others helps anybody.
    let mut text: String = error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.truncate(text.floor_char_boundary(ERROR_BYTES));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_and_come_to_an_end() {
        let mut now = Timestamp::from_micros(0);
        let mut pauses = Vec::new();
        for attempts in 1.. {
            let mail = ClaimedMail {
                id: Uuid::nil(),
                recipient: String::new(),
                subject: String::new(),
                text: String::new(),
                html: String::new(),
                created_at: Timestamp::from_micros(0),
                attempts,
            };
            assert_eq!(next_attempt(&mail, now, Remedy::GiveUp), None);
            let Some(next) = next_attempt(&mail, now, Remedy::TryLater) else { break };
            let slowly = next_attempt(&mail, now, Remedy::ChangeSetting);
            assert_eq!(slowly, Some(next.max(now.plus_seconds(UNWELCOME_DELAY))));
            pauses.push((next.micros() - now.micros()) / 60_000_000);
            now = next;
        }
        assert_eq!(pauses, [1, 5, 30, 120, 360, 360, 360, 360, 360, 360, 360]);
    }
}
