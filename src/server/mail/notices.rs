//! Telling people by mail what was done with their accounts (R05).

use super::Letter;
use crate::server::{
    audit::RequestMeta,
    clock::Clock,
    store::{NewMail, StoreError, Tx},
};

/// Puts letters on their way, in the transaction of what they tell.
#[derive(Debug, Clone)]
pub struct Notices {
    clock: Clock,
    /// Whether mails are sent at all.
    mails: bool,
}

impl Notices {
    pub const fn new(clock: Clock, mails: bool) -> Self {
        Self { clock, mails }
    }

    /// Whether mails are sent.
    pub const fn are_sent(&self) -> bool {
        self.mails
    }

    /// Puts a letter on its way; does nothing where no mails are sent.
    pub async fn post(&self, tx: &mut Tx, recipient: &str, letter: &Letter) -> Result<(), StoreError> {
        if !self.mails {
            return Ok(());
        }
        tx.insert_mail(&NewMail {
            id: self.clock.new_id(),
            recipient,
            subject: letter.subject,
            text: &letter.text,
            html: &letter.html,
            created_at: self.clock.now(),
        })
        .await
    }

    /// Tells the owner of an account what was done with it, in one sentence.
    pub async fn tell(
        &self,
        tx: &mut Tx,
        recipient: &str,
        sentence: &str,
        meta: &RequestMeta,
    ) -> Result<(), StoreError> {
        let letter = Letter::security_notice(sentence, self.clock.now(), &meta.describe());
        self.post(tx, recipient, &letter).await
    }
}
