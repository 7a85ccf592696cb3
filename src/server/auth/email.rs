//! Showing that an address is one's own, and changing it.

use super::{
    Accounts, Caller, Token,
    caller::require_signed_in,
    links::{dead, hash_of},
};
use crate::{
    domain::{AppError, AuditAction, Email, UserId},
    server::{
        audit::RequestMeta,
        fault::Fault,
        mail::{Letter, Notice},
        store::{LinkPurpose, LinkRow, StoreError, Tx},
    },
};

/// How long a link to an address holds.
const LINK_SECONDS: i64 = 24 * 3_600;

impl Accounts {
    /// Whether the caller's address is known to be theirs.
    pub async fn is_verified(&self, caller: &Caller) -> Result<bool, Fault> {
        let state = self.store.read().await?.find_address_state(caller.user.id).await?;
        Ok(state.is_some_and(|state| state.email_verified_at.is_some()))
    }

    /// Whether this installation sends mails.
    pub const fn sends_mails(&self) -> bool {
        self.notices.are_sent()
    }

    /// Mails the caller a link that shows that their address is theirs. Does nothing where that is known.
    ///
    /// # Errors
    /// `RateLimited` (3 an hour), `Conflict` without mail.
    pub async fn request_verification(&self, caller: &Caller, meta: &RequestMeta) -> Result<(), Fault> {
        self.require_mail()?;
        let email = Email::parse(&caller.user.email)?;
        let state = self.store.read().await?.find_address_state(caller.user.id).await?;
        if state.is_some_and(|state| state.email_verified_at.is_some()) {
            return Ok(());
        }
        self.send_verification(caller.user.id, &email, meta).await
    }

    /// Mails a link that shows that an address is its owner's, at most 3 an hour.
    pub(super) async fn send_verification(&self, user: UserId, email: &Email, meta: &RequestMeta) -> Result<(), Fault> {
        self.limits.count_mail(meta, "verify", email).await?;
        let mut tx = self.store.write().await?;
        self.insert_verification(&mut tx, user, email).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Tells the owner of an account that somebody wanted to make one with their address, or sends them the link once more
    /// that they did not follow. At most 3 an hour; nobody is told where there are more. The caller commits.
    pub(super) async fn tell_of_sign_up(&self, tx: &mut Tx, email: &Email, meta: &RequestMeta) -> Result<(), Fault> {
        if self.limits.count_mail_in(tx, meta, "sign-up", email).await?.is_err() {
            return Ok(());
        }
        let Some(found) = tx.find_user_by_email(email.key()).await? else { return Ok(()) };
        let owner = tx.find_user(found.id).await?.filter(|_| found.disabled_at.is_none());
        match owner {
            Some(_) if found.must_verify => self.insert_verification(tx, found.id, email).await?,
            Some(owner) => {
                self.post(tx, &owner.email, |texts| Letter::account_exists(texts, &self.base_url)).await?;
            }
            None => {}
        }
        Ok(())
    }

    /// Writes the link and its mail.
    pub(super) async fn insert_verification(&self, tx: &mut Tx, user: UserId, email: &Email) -> Result<(), StoreError> {
        let token = Token::new();
        let link = self.link("/verify-address?token", &token);
        self.insert_link_of(tx, (user, email.given()), LinkPurpose::VerifyAddress, LINK_SECONDS, &token).await?;
        self.post(tx, email.given(), |texts| Letter::verify_address(texts, &link)).await
    }

    /// Notes that an address is its owner's, who has followed the link.
    ///
    /// # Errors
    /// `Invalid` on `token` where the link is dead, or the account has another address by now; `RateLimited`.
    pub async fn verify_address(&self, token: &str, meta: &RequestMeta) -> Result<(), Fault> {
        self.limits.count_link(meta).await?;
        let verified = self.use_verification(token, meta).await;
        self.note_if_dead(AuditAction::VerifyAddress, meta, verified).await
    }

    async fn use_verification(&self, token: &str, meta: &RequestMeta) -> Result<(), Fault> {
        let hash = hash_of(token).ok_or_else(dead)?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let link = tx.find_link(&hash, LinkPurpose::VerifyAddress, now).await?.ok_or_else(dead)?;
        let (user, email) = concerns(link)?;
        if !tx.verify_address(user, &email, now).await? {
            return Err(dead().into());
        }
        tx.use_link(&hash, LinkPurpose::VerifyAddress, now).await?.ok_or_else(dead)?;
        tx.delete_links(user, LinkPurpose::VerifyAddress).await?;
        meta.record_own_on(&mut tx, &self.clock, user, AuditAction::VerifyAddress, "").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Mails a link to the address that the caller wants to have, and tells the one that they have. Nothing changes
    /// until the link is followed; earlier links for a change are dead. Does not say whether the address is taken.
    ///
    /// # Errors
    /// `Invalid` on `email`, `RateLimited` (3 an hour), `Conflict` without mail.
    pub async fn request_address_change(&self, caller: &Caller, email: &str, meta: &RequestMeta) -> Result<(), Fault> {
        self.require_mail()?;
        let new = Email::parse(email)?;
        let old = Email::parse(&caller.user.email)?;
        if new.given() == old.given() {
            return Err(AppError::invalid("email", reason!("email_unchanged")).into());
        }
        self.limits.count_mail(meta, "change", &old).await?;
        self.limits.count_mail(meta, "change to", &new).await?;
        let (user, token) = (caller.user.id, Token::new());
        let link = self.link("/confirm-address?token", &token);
        let mut tx = self.store.write().await?;
        require_signed_in(&mut tx, caller, self.clock.now()).await?;
        tx.delete_links(user, LinkPurpose::ChangeAddress).await?;
        self.insert_link_of(&mut tx, (user, new.given()), LinkPurpose::ChangeAddress, LINK_SECONDS, &token).await?;
        let own = self.notices.language_of(&mut tx, old.given(), meta.language).await?;
        let confirm = |texts| Letter::confirm_new_address(texts, &link);
        self.notices.post_to_anybody(&mut tx, new.given(), own, confirm).await?;
        self.notify(&mut tx, old.given(), Notice::AddressAsked(new.given()), meta).await?;
        meta.record_own_on(&mut tx, &self.clock, user, AuditAction::AskAddressChange, new.domain()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives the account of a link its new address, and ends its sign-ins, except the caller's if it is theirs.
    /// All other links of the account are dead.
    ///
    /// # Errors
    /// `Invalid` on `token` where the link is dead, `Conflict` where the address is another account's; `RateLimited`.
    pub async fn confirm_address_change(
        &self,
        token: &str,
        caller: Option<&Caller>,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        self.limits.count_link(meta).await?;
        let changed = self.use_address_change(token, caller, meta).await;
        self.note_if_dead(AuditAction::ChangeAddress, meta, changed).await
    }

    async fn use_address_change(&self, token: &str, caller: Option<&Caller>, meta: &RequestMeta) -> Result<(), Fault> {
        let hash = hash_of(token).ok_or_else(dead)?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        let link = tx.find_link(&hash, LinkPurpose::ChangeAddress, now).await?.ok_or_else(dead)?;
        let (user, new) = concerns(link)?;
        // The account before its link, as everywhere where both are written.
        let own = caller.filter(|caller| caller.user.id == user).map(|caller| caller.sign_in);
        tx.renew_credentials(user, own, now).await?;
        tx.use_link(&hash, LinkPurpose::ChangeAddress, now).await?.ok_or_else(dead)?;
        let before = tx.find_user(user).await?.ok_or_else(dead)?;
        // While the account has the former address, by which the language of the mail is found.
        self.notify(&mut tx, &before.email, Notice::AddressChanged(new.given()), meta).await?;
        match tx.update_address(user, &new, now).await {
            Err(StoreError::Duplicate) => {
                return Err(AppError::conflict(reason!("email_of_another")).into());
            }
            other => other?,
        }
        for purpose in [LinkPurpose::VerifyAddress, LinkPurpose::ResetPassword, LinkPurpose::ChangeAddress] {
            tx.delete_links(user, purpose).await?;
        }
        meta.record_own_on(&mut tx, &self.clock, user, AuditAction::ChangeAddress, new.domain()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The account and the address that a link is for.
fn concerns(link: LinkRow) -> Result<(UserId, Email), AppError> {
    let user = link.user.ok_or_else(dead)?;
    let email = Email::parse(&link.email.ok_or_else(dead)?)?;
    Ok((user, email))
}
