//! The tokens of one-time links, and the mails that carry them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::Accounts;
use crate::{
    domain::{AppError, AuditAction, UserId},
    i18n::Texts,
    server::{
        audit::{Refusal, RequestMeta},
        fault::Fault,
        mail::{Letter, Notice},
        store::{LinkPurpose, NewLink, StoreError, TokenHash, Tx},
    },
};

/// The secret of a link: 32 random bytes. It is in the mail and nowhere else.
pub(crate) struct Token(String);

impl Token {
    /// A new one.
    pub fn new() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// What is kept of it.
    pub fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// The hash of what somebody says is a token; `None` where it has not the form of one.
pub(super) fn hash_of(text: &str) -> Option<TokenHash> {
    let decoded = URL_SAFE_NO_PAD.decode(text).ok()?;
    (decoded.len() == 32).then(|| Sha256::digest(text.as_bytes()).into())
}

/// One answer for links that are wrong, used, too old, or somebody else's.
pub(super) fn dead() -> AppError {
    AppError::invalid("token", reason!("link_dead"))
}

impl Accounts {
    /// Refuses what cannot be done without mails.
    pub(super) fn require_mail(&self) -> Result<(), AppError> {
        if self.notices.are_sent() {
            return Ok(());
        }
        Err(AppError::conflict(reason!("mail_missing")))
    }

    /// Writes down that a link was followed that is dead.
    pub(super) async fn note_if_dead<T>(
        &self,
        action: AuditAction,
        meta: &RequestMeta,
        followed: Result<T, Fault>,
    ) -> Result<T, Fault> {
        let refusal = Refusal { subject: None, action, detail: "link" };
        meta.record_if_refused(&self.store, &self.clock, refusal, followed).await
    }

    /// The address of a page of ours with a token. It begins with what is configured, never with what a request says.
    pub(crate) fn link(&self, page: &str, token: &Token) -> String {
        format!("{}{page}={}", self.base_url, token.0)
    }

    /// Keeps a link that concerns an account and works once.
    pub(super) async fn insert_link_of(
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

    /// Puts a letter on its way, in the transaction of the act; does nothing where no mails are sent.
    pub(super) async fn post(
        &self,
        tx: &mut Tx,
        recipient: &str,
        write: impl FnOnce(&'static Texts) -> Letter,
    ) -> Result<(), StoreError> {
        self.notices.post(tx, recipient, write).await
    }

    /// Tells the owner of an account what was done with it.
    pub(super) async fn notify(
        &self,
        tx: &mut Tx,
        recipient: &str,
        notice: Notice<'_>,
        meta: &RequestMeta,
    ) -> Result<(), StoreError> {
        self.notices.tell(tx, recipient, notice, meta).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r01_tokens_are_256_random_bits_in_one_spelling() {
        let (one, two) = (Token::new(), Token::new());
        assert_ne!(one.0, two.0);
        assert_eq!(one.0.len(), 43);
        assert_eq!(hash_of(&one.0), Some(one.hash()));
        for bad in
            ["", "null", "[]", &one.0[1..], &format!("{}=", one.0), &format!(" {}", one.0), &"A".repeat(1_000_000)]
        {
            assert_eq!(hash_of(bad), None, "{:?}", bad.get(..50));
        }
    }
}
