//! Mails on their way out.

use uuid::Uuid;

use super::{
    StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::Timestamp;

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

/// A mail that this process, and no other, shall send now.
#[derive(sqlx::FromRow)]
pub struct ClaimedMail {
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
    /// How often it was tried, with this attempt.
    pub attempts: i64,
}

impl std::fmt::Debug for ClaimedMail {
    /// Without the texts, which hold links.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClaimedMail").field("id", &self.id).field("attempts", &self.attempts).finish_non_exhaustive()
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
    ///
    /// # Errors
    /// As the database says.
    pub async fn insert_mail(&mut self, mail: &NewMail<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into mails (id, recipient, subject, text, html, created_at, attempts, next_attempt_at)
             values ($1, $2, $3, $4, $5, $6, 0, $6)",
            mail.id,
            mail.recipient,
            mail.subject,
            mail.text,
            mail.html,
            mail.created_at,
        )?;
        Ok(())
    }

    /// Whether there is a mail that can be claimed.
    ///
    /// # Errors
    /// As the database says.
    pub async fn has_due_mail(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let row = fetch_optional!(
            self,
            (Uuid,),
            "select id from mails where next_attempt_at <= $1 and (lease_until is null or lease_until <= $1) limit 1",
            now,
        )?;
        Ok(row.is_some())
    }

    /// Claims the mail that has been due the longest, until the lease ends. Of several instances one gets it.
    ///
    /// # Errors
    /// As the database says.
    pub async fn claim_mail(
        &mut self,
        lease: Uuid,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<ClaimedMail>, StoreError> {
        // The conditions stand outside once more for an instance that waited for another one's claim.
        Ok(fetch_optional!(
            self,
            ClaimedMail,
            "update mails set lease = $1, lease_until = $3, attempts = attempts + 1
             where id = (select id from mails
                         where next_attempt_at <= $2 and (lease_until is null or lease_until <= $2)
                         order by next_attempt_at, id limit 1)
               and next_attempt_at <= $2 and (lease_until is null or lease_until <= $2)
             returning id, recipient, subject, text, html, created_at, attempts",
            lease,
            now,
            lease_until,
        )?)
    }

    /// Notes that a mail was sent, and forgets its texts, which hold links.
    ///
    /// # Errors
    /// As the database says.
    pub async fn finish_mail(&mut self, id: Uuid, lease: Uuid, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self,
            "update mails set sent_at = $3, next_attempt_at = null, last_error = null, lease = null, lease_until = null,
                              text = '', html = ''
             where id = $1 and lease = $2",
            id,
            lease,
            now,
        )?;
        Ok(())
    }

    /// Notes that a mail could not be sent, and when to try again. Without another attempt its texts are forgotten.
    ///
    /// # Errors
    /// As the database says.
    pub async fn postpone_mail(
        &mut self,
        id: Uuid,
        lease: Uuid,
        error: &str,
        next: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            "update mails set next_attempt_at = $4, last_error = $3, lease = null, lease_until = null,
                              text = case when cast($4 as bigint) is null then '' else text end,
                              html = case when cast($4 as bigint) is null then '' else html end
             where id = $1 and lease = $2",
            id,
            lease,
            error,
            next,
        )?;
        Ok(())
    }

    /// The mails that failed at least once and were not sent since, newest first.
    ///
    /// # Errors
    /// As the database says.
    pub async fn list_failing_mails(&mut self) -> Result<Vec<FailingMail>, StoreError> {
        Ok(fetch_all!(
            self,
            FailingMail,
            "select id, recipient, subject, created_at, attempts, next_attempt_at, last_error from mails
             where sent_at is null and last_error is not null order by created_at desc, id desc limit 200",
        )?)
    }
}
