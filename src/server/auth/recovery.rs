//! A new password for somebody who forgot theirs.

use super::{
    Accounts, Origin,
    links::{Token, dead, hash_of},
    origin::Act,
    rule, throttle,
};
use crate::{
    domain::{AppError, AuditAction, CurrentUser, Email, Outcome, UserId},
    server::{
        fault::Fault,
        mail::Letter,
        store::{LinkPurpose, TokenHash},
    },
};

/// How long a link for a new password holds.
pub(super) const RESET_SECONDS: i64 = 15 * 60;
/// What a link for a new password leads to.
pub(super) const RESET_PAGE: &str = "/reset-password?token";

impl Accounts {
    /// Mails a link for a new password to the account with this address. Answers alike whether there is one.
    ///
    /// # Errors
    /// `Invalid` where it is no address, `RateLimited` (3 an hour for an address), `Unavailable` without mail.
    pub async fn request_reset(&self, email: &str, origin: &Origin) -> Result<(), Fault> {
        self.require_mail()?;
        let email = Email::parse(email)?;
        throttle::count_mail(&self.store, &self.clock, origin, "reset", &email).await?;
        // Made before it is known whether anybody gets it.
        let token = Token::new();
        let letter = Letter::reset_password(&self.link(RESET_PAGE, &token));
        let mut tx = self.store.write().await?;
        let found = tx.find_user_by_email(email.key()).await?.filter(|user| user.disabled_at.is_none());
        if let Some(user) = found
            && let Some(user) = tx.find_user(user.id).await?
        {
            self.insert_link_of(&mut tx, (user.id, &user.email), LinkPurpose::ResetPassword, RESET_SECONDS, &token)
                .await?;
            self.post(&mut tx, &user.email, &letter).await?;
            // Anybody can ask; it is not known who did.
            let act = Act {
                actor: None,
                subject: Some(user.id),
                action: AuditAction::AskReset,
                outcome: Outcome::Done,
                detail: "",
            };
            origin.write(&mut tx, &self.clock, &act).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// A link for a new password, for an administrator or operator to hand over where no mails are sent. It is shown
    /// once. The door decides who may ask for it.
    ///
    /// # Errors
    /// `NotFound` where there is no such account.
    pub async fn create_reset_link(&self, user: UserId) -> Result<String, Fault> {
        let token = Token::new();
        let mut tx = self.store.write().await?;
        let user = tx.find_user(user).await?.ok_or(AppError::NotFound)?;
        self.insert_link_of(&mut tx, (user.id, &user.email), LinkPurpose::ResetPassword, RESET_SECONDS, &token).await?;
        tx.commit().await?;
        Ok(self.link(RESET_PAGE, &token))
    }

    /// Gives the account of a link another password and ends all its sign-ins. Signs nobody in.
    ///
    /// # Errors
    /// `Invalid` on `token` where the link is dead, on `password` where the rule is not met (the link stays good);
    /// `RateLimited`.
    pub async fn reset_password(&self, token: &str, password: String, origin: &Origin) -> Result<(), Fault> {
        throttle::count_link(&self.store, &self.clock, origin).await?;
        let found = self.find_resetting(token).await;
        let (hash, user) = self.note_if_dead(AuditAction::ResetPassword, origin, found).await?;
        rule::check(&password, &user.email, &user.name)?;
        let password_hash = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        tx.use_link(&hash, LinkPurpose::ResetPassword, now).await?.ok_or_else(dead)?;
        tx.replace_password_hash(user.id, &password_hash).await?;
        tx.end_sign_ins(user.id, None, now).await?;
        tx.delete_pending_sign_ins_of(user.id).await?;
        // What somebody else may have begun in the name of the owner ends with the old password.
        tx.delete_links(user.id, LinkPurpose::ResetPassword).await?;
        tx.delete_links(user.id, LinkPurpose::ChangeAddress).await?;
        let sentence = "Your password was changed by a link for a new password, and all devices were signed out.";
        self.notify(&mut tx, &user.email, sentence, origin).await?;
        origin.note_of(&mut tx, &self.clock, user.id, AuditAction::ResetPassword, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whose password a link that holds would change.
    async fn find_resetting(&self, token: &str) -> Result<(TokenHash, CurrentUser), Fault> {
        let hash = hash_of(token).ok_or_else(dead)?;
        let mut tx = self.store.read().await?;
        let link = tx.find_link(&hash, LinkPurpose::ResetPassword, self.clock.now()).await?;
        let user = link.and_then(|link| link.user).ok_or_else(dead)?;
        Ok((hash, tx.find_user(user).await?.ok_or_else(dead)?))
    }
}
