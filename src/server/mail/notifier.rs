//! Notifies users by mail about changes to their accounts (R05).

use super::{MailContent, Notice};
use crate::{
    domain::Email,
    i18n::{Language, Texts},
    server::{
        audit::RequestMeta,
        clock::Clock,
        store::{NewMail, StoreError, Tx},
    },
};

/// Enqueues mails in the transaction of the change that they report.
#[derive(Debug, Clone)]
pub struct Notifier {
    clock: Clock,
    /// Whether mails are configured.
    enabled: bool,
}

impl Notifier {
    pub const fn new(clock: Clock, enabled: bool) -> Self {
        Self { clock, enabled }
    }

    /// Whether mails are sent.
    pub const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// The language of the account with this address, or `fallback` if there is none.
    pub async fn language_of(&self, tx: &mut Tx, address: &str, fallback: Language) -> Result<Language, StoreError> {
        let Ok(email) = Email::parse(address) else { return Ok(fallback) };
        let tag = tx.find_language_of_address(email.key()).await?;
        Ok(tag.and_then(|tag| Language::from_tag(&tag)).unwrap_or(fallback))
    }

    /// Enqueues a mail to the owner of an account, in their language. Does nothing if mails are not configured.
    pub async fn enqueue(
        &self,
        tx: &mut Tx,
        recipient: &str,
        write: impl FnOnce(&'static Texts) -> MailContent,
    ) -> Result<(), StoreError> {
        self.enqueue_to_address(tx, recipient, Language::default(), write).await
    }

    /// The same for any address. If it belongs to no account, the mail is in the language `fallback`.
    pub async fn enqueue_to_address(
        &self,
        tx: &mut Tx,
        recipient: &str,
        fallback: Language,
        write: impl FnOnce(&'static Texts) -> MailContent,
    ) -> Result<(), StoreError> {
        if !self.enabled {
            return Ok(());
        }
        let content = write(self.language_of(tx, recipient, fallback).await?.texts());
        tx.insert_mail(&NewMail {
            id: self.clock.new_id(),
            recipient,
            subject: content.subject,
            text: &content.text,
            html: &content.html,
            created_at: self.clock.now(),
        })
        .await
    }

    /// Notifies the owner of an account about a change to it.
    pub async fn notify(
        &self,
        tx: &mut Tx,
        recipient: &str,
        notice: Notice<'_>,
        meta: &RequestMeta,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.enqueue(tx, recipient, |texts| MailContent::security_notice(texts, notice, now, &meta.describe_in(texts)))
            .await
    }
}
