//! Password reset by mail ("forgot password").

use super::{
    Accounts, Token,
    links::{hash_token, invalid_link},
    password_policy,
};
use crate::{
    domain::{AppError, AuditAction, CurrentUser, Email, Outcome, UserId},
    server::{
        audit::{AuditEvent, RequestMeta},
        fault::Fault,
        mail::{MailContent, Notice},
        store::{LinkPurpose, TokenHash, Tx},
    },
};

/// How long a reset link is valid, in seconds.
const RESET_LINK_SECONDS: i64 = 15 * 60;
/// The page of a reset link, up to the token.
const RESET_PAGE: &str = "/reset-password?token";

impl Accounts {
    /// Inserts a reset link for the user with this id and email address, and returns it.
    pub async fn insert_reset_link(&self, tx: &mut Tx, owner: (UserId, &str)) -> Result<String, Fault> {
        let token = Token::new();
        self.insert_account_link(tx, owner, LinkPurpose::ResetPassword, RESET_LINK_SECONDS, &token).await?;
        Ok(self.link(RESET_PAGE, &token))
    }

    /// Mails a reset link to the account with this address; does nothing if there is none. The caller commits.
    pub(super) async fn mail_reset_link(&self, tx: &mut Tx, email: &Email, meta: &RequestMeta) -> Result<(), Fault> {
        let found = tx.find_user_by_email(email.key()).await?.filter(|user| user.disabled_at.is_none());
        let Some(found) = found else { return Ok(()) };
        let Some(user) = tx.owned_by(found.id).find_user().await? else { return Ok(()) };
        let link = self.insert_reset_link(tx, (user.id, &user.email)).await?;
        self.queue_mail(tx, &user.email, |texts| MailContent::reset_password(texts, &link)).await?;
        // Anyone can request a reset, so the actor is unknown.
        let (subject, action, outcome) = (Some(user.id), AuditAction::AskReset, Outcome::Done);
        meta.record(tx, &self.clock, &AuditEvent { actor: None, subject, action, outcome, detail: "" }).await?;
        Ok(())
    }

    /// Creates a reset link that an administrator or the operator hands over if no mails are sent. It is shown once.
    /// The access policy decides who may create one.
    ///
    /// # Errors
    /// `NotFound` if there is no such account.
    pub async fn create_reset_link(&self, user: UserId) -> Result<String, Fault> {
        let mut tx = self.store.write().await?;
        let user = tx.owned_by(user).find_user().await?.ok_or(AppError::NotFound)?;
        let link = self.insert_reset_link(&mut tx, (user.id, &user.email)).await?;
        tx.commit().await?;
        Ok(link)
    }

    /// Sets a new password by a reset link, and revokes all sign-ins of the account. Does not sign in.
    ///
    /// # Errors
    /// `Invalid` on `token` if the link is invalid, on `password` if the policy is violated (the link remains valid);
    /// `RateLimited`.
    pub async fn reset_password(&self, token: &str, password: String, meta: &RequestMeta) -> Result<(), Fault> {
        self.limits.count_link(meta).await?;
        let found = self.find_reset_link(token).await;
        let (hash, user) = self.record_if_invalid_link(AuditAction::ResetPassword, meta, found).await?;
        password_policy::check(&password, &user.email, &user.name)?;
        let password_hash = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        // Lock order: the account before its link.
        tx.owned_by(user.id).renew_credentials(None, now).await?;
        tx.use_link(&hash, LinkPurpose::ResetPassword, now).await?.ok_or_else(invalid_link)?;
        tx.owned_by(user.id).replace_password_hash(&password_hash).await?;
        // An attacker may have started a sign-in or passkey ceremony; it ends with the old password.
        tx.owned_by(user.id).cancel_pending_auth().await?;
        self.notify(&mut tx, &user.email, Notice::PasswordReset, meta).await?;
        meta.record_own_with_detail(&mut tx, &self.clock, user.id, AuditAction::ResetPassword, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// The token hash and the user of a valid reset link.
    async fn find_reset_link(&self, token: &str) -> Result<(TokenHash, CurrentUser), Fault> {
        let hash = hash_token(token).ok_or_else(invalid_link)?;
        let mut tx = self.store.read().await?;
        let link = tx.find_link(&hash, LinkPurpose::ResetPassword, self.clock.now()).await?;
        let user = link.and_then(|link| link.user).ok_or_else(invalid_link)?;
        Ok((hash, tx.owned_by(user).find_user().await?.ok_or_else(invalid_link)?))
    }
}
