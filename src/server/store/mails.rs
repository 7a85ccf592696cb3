//! Mails on their way out.

use uuid::Uuid;

use super::{
    StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{JobKind, Timestamp};

/// A mail to be sent.
#[derive(Debug)]
pub struct NewMail<'a> {
    /// Its id.
    pub id: Uuid,
    /// The address.
    pub recipient: &'a str,
    /// One line.
    pub subject: &'a str,
    /// The plain part.
    pub text: &'a str,
    /// The same as HTML.
    pub html: &'a str,
    /// Now.
    pub created_at: Timestamp,
}

/// A mail that has not been sent.
#[derive(sqlx::FromRow)]
pub struct UnsentMail {
    /// Its id.
    pub id: Uuid,
    /// The address.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// When it was written.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for UnsentMail {
    /// Without the texts, which hold links.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnsentMail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A mail that did not reach the mail server, for administrators.
#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FailingMail {
    /// Its id.
    pub id: Uuid,
    /// The address.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next; `None` where it was given up.
    pub next_attempt_at: Option<Timestamp>,
    /// What the last attempt ended with.
    pub last_error: Option<String>,
}

impl Tx {
    /// Puts a mail on its way. Belongs into the transaction of the act that it tells of.
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

    /// A mail that has not been sent yet.
    pub async fn find_unsent_mail(&mut self, id: Uuid) -> Result<Option<UnsentMail>, StoreError> {
        Ok(fetch_optional!(
            self,
            UnsentMail,
            "select id, recipient, subject, text, html, created_at from mails where id = $1 and sent_at is null",
            id,
        )?)
    }

    /// Notes that a mail was sent, and forgets its texts, which hold links.
    pub async fn finish_mail(&mut self, id: Uuid, now: Timestamp) -> Result<(), StoreError> {
        execute!(self, "update mails set sent_at = $2, text = '', html = '' where id = $1", id, now)?;
        Ok(())
    }

    /// The mails that failed at least once and were not sent since, newest first.
    pub async fn list_failing_mails(&mut self) -> Result<Vec<FailingMail>, StoreError> {
        Ok(fetch_all!(
            self,
            FailingMail,
            "select m.id, m.recipient, m.subject, m.created_at, j.attempts,
                    case when j.state = 'failed' then null else j.run_at end as next_attempt_at, j.last_error
             from jobs j join mails m on m.id = j.subject_id
             where j.kind = 'send_mail' and j.last_error is not null
             order by m.created_at desc, m.id desc limit 200",
        )?)
    }
}
