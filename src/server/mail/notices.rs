//! Telling people by mail what was done with their accounts (R05).

use super::{Letter, Notice};
use crate::{
    domain::Email,
    i18n::{Language, Texts},
    server::{
        audit::RequestMeta,
        clock::Clock,
        store::{NewMail, StoreError, Tx},
    },
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

    /// The language of the account that has this address; where none has it, `otherwise`.
    pub async fn language_of(&self, tx: &mut Tx, address: &str, otherwise: Language) -> Result<Language, StoreError> {
        let Ok(email) = Email::parse(address) else { return Ok(otherwise) };
        let tag = tx.find_language_of_address(email.key()).await?;
        Ok(tag.and_then(|tag| Language::from_tag(&tag)).unwrap_or(otherwise))
    }

    /// Puts a letter to the owner of an account on its way, in their language; does nothing where no mails are sent.
    pub async fn post(
        &self,
        tx: &mut Tx,
        recipient: &str,
        write: impl FnOnce(&'static Texts) -> Letter,
    ) -> Result<(), StoreError> {
        self.post_to_anybody(tx, recipient, Language::default(), write).await
    }

    /// The same to whoever has this address. Where no account has it, the letter is in the language `otherwise`.
    pub async fn post_to_anybody(
        &self,
        tx: &mut Tx,
        recipient: &str,
        otherwise: Language,
        write: impl FnOnce(&'static Texts) -> Letter,
    ) -> Result<(), StoreError> {
        if !self.mails {
            return Ok(());
        }
        let letter = write(self.language_of(tx, recipient, otherwise).await?.texts());
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

    /// Tells the owner of an account what was done with it.
    pub async fn tell(
        &self,
        tx: &mut Tx,
        recipient: &str,
        notice: Notice<'_>,
        meta: &RequestMeta,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.post(tx, recipient, |texts| Letter::security_notice(texts, notice, now, &meta.describe_in(texts))).await
    }
}
