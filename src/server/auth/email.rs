//! Verifying and changing email addresses.

use super::{
    Accounts, Caller, Token,
    caller::require_signed_in,
    links::{hash_token, invalid_link},
};
use crate::{
    domain::{AppError, AuditAction, Email, UserId},
    server::{
        audit::RequestMeta,
        fault::Fault,
        mail::{MailContent, Notice},
        store::{LinkPurpose, LinkRow, StoreError, Tx},
    },
};

/// How long a link to verify an address is valid, in seconds.
pub(super) const VERIFICATION_SECONDS: i64 = 24 * 3_600;

impl Accounts {
    /// Whether the caller's address is verified.
    pub async fn is_verified(&self, tx: &mut Tx, caller: &Caller) -> Result<bool, Fault> {
        let state = tx.owned_by(caller.user.id).find_address_state().await?;
        Ok(state.is_some_and(|state| state.email_verified_at.is_some()))
    }

    /// Whether this installation sends mails.
    pub const fn sends_mails(&self) -> bool {
        self.notifier.is_enabled()
    }

    /// Mails the caller a verification link for their address. Does nothing if it is verified already.
    ///
    /// # Errors
    /// `RateLimited` (3 an hour); `Conflict` if this installation does not send mails.
    pub async fn request_verification(&self, caller: &Caller, meta: &RequestMeta) -> Result<(), Fault> {
        self.require_mail()?;
        let email = Email::parse(&caller.user.email)?;
        if self.is_verified(&mut self.store.read().await?, caller).await? {
            return Ok(());
        }
        self.send_verification(caller.user.id, &email, meta).await
    }

    /// Mails a verification link, at most 3 an hour.
    pub(super) async fn send_verification(&self, user: UserId, email: &Email, meta: &RequestMeta) -> Result<(), Fault> {
        self.limits.count_mail(meta, "verify", email).await?;
        let mut tx = self.store.write().await?;
        self.insert_verification(&mut tx, user, email).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notifies an account owner that their address was used to sign up. If the account is not verified yet, sends the
    /// verification link again. At most 3 mails an hour; beyond that nothing is sent and no error is returned. The
    /// caller commits.
    pub(super) async fn notify_owner_of_sign_up(
        &self,
        tx: &mut Tx,
        email: &Email,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        if self.limits.count_mail_in(tx, meta, "sign-up", email).await?.is_err() {
            return Ok(());
        }
        self.mail_owner_about_sign_up(tx, email).await
    }

    /// Mails the owner of an address another verification link, or, if it is verified, that they have an account. Does
    /// nothing if there is no account, or if it is disabled. The caller commits.
    pub(super) async fn mail_owner_about_sign_up(&self, tx: &mut Tx, email: &Email) -> Result<(), Fault> {
        let Some(found) = tx.find_user_by_email(email.key()).await? else { return Ok(()) };
        let owner = tx.owned_by(found.id).find_user().await?.filter(|_| found.disabled_at.is_none());
        match owner {
            Some(_) if found.must_verify => self.insert_verification(tx, found.id, email).await?,
            Some(owner) => {
                self.queue_mail(tx, &owner.email, |texts| MailContent::account_exists(texts, &self.base_url)).await?;
            }
            None => {}
        }
        Ok(())
    }

    /// Inserts a verification link and queues its mail.
    pub(super) async fn insert_verification(&self, tx: &mut Tx, user: UserId, email: &Email) -> Result<(), StoreError> {
        let token = Token::new();
        let link = self.link("/verify-address?token", &token);
        self.insert_account_link(
            tx,
            (user, email.as_entered()),
            LinkPurpose::VerifyAddress,
            VERIFICATION_SECONDS,
            &token,
        )
        .await?;
        self.queue_mail(tx, email.as_entered(), |texts| MailContent::verify_address(texts, &link)).await
    }

    /// Marks an address as verified, and returns its account and it; its owner has followed the link.
    ///
    /// # Errors
    /// `Invalid` on `token` if the link is invalid, or the account's address has changed since; `RateLimited`.
    pub async fn verify_address(&self, token: &str, meta: &RequestMeta) -> Result<(UserId, Email), Fault> {
        self.limits.count_link(meta).await?;
        let verified = self.use_verification(token, meta).await;
        self.record_if_invalid_link(AuditAction::VerifyAddress, meta, verified).await
    }

    async fn use_verification(&self, token: &str, meta: &RequestMeta) -> Result<(UserId, Email), Fault> {
        let hash = hash_token(token).ok_or_else(invalid_link)?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let link = tx.find_link(&hash, LinkPurpose::VerifyAddress, now).await?.ok_or_else(invalid_link)?;
        let (user, email) = link_target(link)?;
        if !tx.owned_by(user).verify_address(&email, now).await? {
            return Err(invalid_link().into());
        }
        tx.use_link(&hash, LinkPurpose::VerifyAddress, now).await?.ok_or_else(invalid_link)?;
        tx.owned_by(user).delete_links(LinkPurpose::VerifyAddress).await?;
        meta.record_own_with_detail(&mut tx, &self.clock, user, AuditAction::VerifyAddress, "").await?;
        tx.commit().await?;
        Ok((user, email))
    }

    /// Mails a confirmation link to the caller's new address, and a notice to the current one. Nothing changes until
    /// the link is followed. Invalidates earlier links for a change. Does not reveal whether the new address is in use.
    ///
    /// # Errors
    /// `Invalid` on `email`; `RateLimited` (3 an hour); `Conflict` if this installation does not send mails.
    pub async fn request_address_change(&self, caller: &Caller, email: &str, meta: &RequestMeta) -> Result<(), Fault> {
        self.require_mail()?;
        let new = Email::parse(email)?;
        let old = Email::parse(&caller.user.email)?;
        if new.as_entered() == old.as_entered() {
            return Err(AppError::invalid("email", reason!("email_unchanged")).into());
        }
        self.limits.count_mail(meta, "change", &old).await?;
        self.limits.count_mail(meta, "change to", &new).await?;
        let (user, token) = (caller.user.id, Token::new());
        let link = self.link("/confirm-address?token", &token);
        let mut tx = self.store.write().await?;
        require_signed_in(&mut tx, caller, self.clock.now()).await?;
        tx.owned_by(user).delete_links(LinkPurpose::ChangeAddress).await?;
        self.insert_account_link(
            &mut tx,
            (user, new.as_entered()),
            LinkPurpose::ChangeAddress,
            VERIFICATION_SECONDS,
            &token,
        )
        .await?;
        let own = self.notifier.language_of(&mut tx, old.as_entered(), meta.language).await?;
        let confirm = |texts| MailContent::confirm_new_address(texts, &link);
        self.notifier.enqueue_to_address(&mut tx, new.as_entered(), own, confirm).await?;
        self.notify(&mut tx, old.as_entered(), Notice::AddressAsked(new.as_entered()), meta).await?;
        meta.record_own_with_detail(&mut tx, &self.clock, user, AuditAction::AskAddressChange, new.domain()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Changes an account's address to that of the link. Revokes its sign-ins, except the caller's own, and invalidates
    /// all its other links.
    ///
    /// # Errors
    /// `Invalid` on `token` if the link is invalid; `Conflict` if the address belongs to another account;
    /// `RateLimited`.
    pub async fn confirm_address_change(
        &self,
        token: &str,
        caller: Option<&Caller>,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        self.limits.count_link(meta).await?;
        let changed = self.use_address_change(token, caller, meta).await;
        self.record_if_invalid_link(AuditAction::ChangeAddress, meta, changed).await
    }

    async fn use_address_change(&self, token: &str, caller: Option<&Caller>, meta: &RequestMeta) -> Result<(), Fault> {
        let hash = hash_token(token).ok_or_else(invalid_link)?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let link = tx.find_link(&hash, LinkPurpose::ChangeAddress, now).await?.ok_or_else(invalid_link)?;
        let (user, new) = link_target(link)?;
        // Lock order: the account before its link.
        let own = caller.filter(|caller| caller.user.id == user).map(|caller| caller.sign_in);
        tx.owned_by(user).renew_credentials(own, now).await?;
        tx.use_link(&hash, LinkPurpose::ChangeAddress, now).await?.ok_or_else(invalid_link)?;
        let before = tx.owned_by(user).find_user().await?.ok_or_else(invalid_link)?;
        // Before the update: the language of the mail is looked up by the previous address.
        self.notify(&mut tx, &before.email, Notice::AddressChanged(new.as_entered()), meta).await?;
        match tx.owned_by(user).update_address(&new, now).await {
            Err(StoreError::Duplicate) => {
                return Err(AppError::conflict(reason!("email_of_another")).into());
            }
            other => other?,
        }
        for purpose in [LinkPurpose::VerifyAddress, LinkPurpose::ResetPassword, LinkPurpose::ChangeAddress] {
            tx.owned_by(user).delete_links(purpose).await?;
        }
        meta.record_own_with_detail(&mut tx, &self.clock, user, AuditAction::ChangeAddress, new.domain()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The user and the address of a link.
fn link_target(link: LinkRow) -> Result<(UserId, Email), AppError> {
    let user = link.user.ok_or_else(invalid_link)?;
    let email = Email::parse(&link.email.ok_or_else(invalid_link)?)?;
    Ok((user, email))
}
