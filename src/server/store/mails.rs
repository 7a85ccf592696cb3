//! The outbox: mails to send, stored until they are delivered to the mail server.

use uuid::Uuid;

use super::{
    Admin, Engine, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{JobKind, Timestamp};

/// A mail to insert and send.
#[derive(Debug)]
pub struct NewMail<'a> {
    /// The mail's id.
    pub id: Uuid,
    /// The recipient's e-mail address.
    pub recipient: &'a str,
    /// The subject, one line.
    pub subject: &'a str,
    /// The plain text body.
    pub text: &'a str,
    /// The HTML body.
    pub html: &'a str,
    /// The current time.
    pub created_at: Timestamp,
}

/// A mail that has not been sent.
#[derive(sqlx::FromRow)]
pub struct UnsentMail {
    /// The mail's id.
    pub id: Uuid,
    /// The recipient's e-mail address.
    pub recipient: String,
    /// The subject, one line.
    pub subject: String,
    /// The plain text body.
    pub text: String,
    /// The HTML body.
    pub html: String,
    /// When it was created.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for UnsentMail {
    /// Omits the bodies, which may contain secret links.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnsentMail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A mail that could not be delivered to the mail server, for administrators.
#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FailingMail {
    /// The mail's id.
    pub id: Uuid,
    /// The recipient's e-mail address.
    pub recipient: String,
    /// The subject.
    pub subject: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// The number of attempts so far.
    pub attempts: i64,
    /// The time of the next retry; `None` if it was given up.
    pub next_attempt_at: Option<Timestamp>,
    /// The error of the last attempt.
    pub last_error: Option<String>,
}

impl Tx {
    /// Inserts a mail and enqueues the job that sends it. Must be called in the transaction of the action that it
    /// reports.
    pub async fn insert_mail(&mut self, mail: &NewMail<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into mails (id, recipient, subject, text, html, created_at) values ($1, $2, $3, $4, $5, $6)",
            mail.id,
            mail.recipient,
            mail.subject,
            mail.text,
            mail.html,
            mail.created_at,
        )?;
        self.enqueue(JobKind::SendMail, mail.id, mail.created_at, mail.created_at).await
    }
}

impl Admin<'_> {
    /// The unsent mails with at least one failed attempt, newest first, at most 200.
    pub async fn list_failing_mails(&mut self) -> Result<Vec<FailingMail>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            FailingMail,
            "select m.id, m.recipient, m.subject, m.created_at, j.attempts,
                    case when j.state = 'failed' then null else j.run_at end as next_attempt_at, j.last_error
             from jobs j join mails m on m.id = j.subject_id
             where j.kind = 'send_mail' and j.last_error is not null
             order by m.created_at desc, m.id desc limit 200",
        )?)
    }
}

impl Engine<'_> {
    /// A mail that has not been sent yet.
    pub async fn find_unsent_mail(&mut self, id: Uuid) -> Result<Option<UnsentMail>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            UnsentMail,
            "select id, recipient, subject, text, html, created_at from mails where id = $1 and sent_at is null",
            id,
        )?)
    }

    /// Marks a mail as sent, and deletes its bodies, which may contain secret links.
    pub async fn finish_mail(&mut self, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
        execute!(self.tx, "update mails set sent_at = $2, text = '', html = '' where id = $1", id, now)?;
        Ok(())
    }
}
