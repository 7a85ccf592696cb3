//! Tokens of one-time links, and the mails that carry them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::Accounts;
use crate::{
    domain::{AppError, AuditAction, LinkPage, UserId},
    i18n::Texts,
    server::{
        audit::{RefusedEvent, RequestMeta},
        fault::Fault,
        mail::{MailContent, Notice},
        store::{LinkPurpose, NewLink, StoreError, TokenHash, Tx},
    },
};

/// The secret token of a link: 32 random bytes. It is only in the mail; the database stores its hash.
pub(crate) struct Token(String);

impl Token {
    /// Generates a random token.
    pub fn new() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// The hash that is stored.
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// The hash of a token from a request; `None` if it is malformed.
pub(super) fn hash_token(text: &str) -> Option<TokenHash> {
    let decoded = URL_SAFE_NO_PAD.decode(text).ok()?;
    (decoded.len() == 32).then(|| Sha256::digest(text.as_bytes()).into())
}

/// The one error for links that are malformed, used, expired or for another user.
pub(super) fn invalid_link() -> AppError {
    AppError::invalid("token", reason!("link_dead"))
}

impl Accounts {
    /// Fails if this installation does not send mails.
    pub(super) fn require_mail(&self) -> Result<(), AppError> {
        if self.notifier.is_enabled() {
            return Ok(());
        }
        Err(AppError::conflict(reason!("mail_missing")))
    }

    /// Records an audit event if the link was invalid.
    pub(super) async fn record_if_invalid_link<T>(
        &self,
        action: AuditAction,
        meta: &RequestMeta,
        followed: Result<T, Fault>,
    ) -> Result<T, Fault> {
        let refusal = RefusedEvent { subject: None, action, detail: "link" };
        meta.record_if_refused(&self.store, &self.clock, refusal, followed).await
    }

    /// Whether the link to this page works: whether it is neither used nor expired. Does not use it.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn check_link(&self, page: LinkPage, token: &str, meta: &RequestMeta) -> Result<bool, Fault> {
        let purpose = match page {
            LinkPage::VerifyAddress => LinkPurpose::VerifyAddress,
            LinkPage::ConfirmAddress => LinkPurpose::ChangeAddress,
            LinkPage::ResetPassword => LinkPurpose::ResetPassword,
        };
        let Some(hash) = hash_token(token) else { return Ok(false) };
        self.limits.count_link_check(meta).await?;
        Ok(self.store.read().await?.find_link(&hash, purpose, self.clock.now()).await?.is_some())
    }

    /// The URL of one of our pages with a token. It starts with the configured base URL, never with anything from the
    /// request.
    pub(crate) fn link(&self, page: &str, token: &Token) -> String {
        format!("{}{page}={}", self.base_url, token.0)
    }

    /// Stores a single-use link for an account.
    pub(super) async fn insert_account_link(
        &self,
        tx: &mut Tx,
        (user, email): (UserId, &str),
        purpose: LinkPurpose,
        seconds: i64,
        token: &Token,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx.insert_link(&NewLink {
            id: self.clock.new_id(),
            token_hash: &token.hash(),
            purpose,
            user: Some(user),
            email: Some(email),
            role: None,
            uses: 1,
            created_at: now,
            expires_at: now.plus_seconds(seconds),
            created_by: None,
        })
        .await
    }

    /// Queues a mail in the caller's transaction. Does nothing if no mails are sent.
    pub(super) async fn queue_mail(
        &self,
        tx: &mut Tx,
        recipient: &str,
        write: impl FnOnce(&'static Texts) -> MailContent,
    ) -> Result<(), StoreError> {
        self.notifier.enqueue(tx, recipient, write).await
    }

    /// Notifies the account owner about a change to their account.
    pub(super) async fn notify(
        &self,
        tx: &mut Tx,
        recipient: &str,
        notice: Notice<'_>,
        meta: &RequestMeta,
    ) -> Result<(), StoreError> {
        self.notifier.notify(tx, recipient, notice, meta).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r01_tokens_have_256_random_bits_and_one_encoding() {
        let (one, two) = (Token::new(), Token::new());
        assert_ne!(one.0, two.0);
        assert_eq!(one.0.len(), 43);
        assert_eq!(hash_token(&one.0), Some(one.hash()));
        for bad in
            ["", "null", "[]", &one.0[1..], &format!("{}=", one.0), &format!(" {}", one.0), &"A".repeat(1_000_000)]
        {
            assert_eq!(hash_token(bad), None, "{:?}", bad.get(..50));
        }
    }
}
