//! A new password for somebody who forgot theirs.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Accounts, Token,
    links::{dead, hash_of},
    rule,
};
use crate::{
    domain::{AppError, AuditAction, CurrentUser, Email, Outcome, UserId},
    server::{
        audit::{AuditEvent, ClientAddress, RequestMeta},
        fault::Fault,
        mail::{Letter, Notice},
        store::{LinkPurpose, PersonRow, ResetRequest, TokenHash, Tx},
    },
};

/// How long a link for a new password holds.
const RESET_SECONDS: i64 = 15 * 60;
/// What a link for a new password leads to.
const RESET_PAGE: &str = "/reset-password?token";
/// Time between two looks for requests that another instance, or this one before it was stopped, has left.
const PERIOD: Duration = Duration::from_secs(10);
/// Time between a request and the look for its account.
const PAUSE: Duration = Duration::from_millis(200);
/// Requests that are looked at in one go.
const REQUESTS: u32 = 100;
/// Age from which on a request is forgotten.
const REQUEST_SECONDS: i64 = 86_400;
/// In the place of an address that cannot be read.
const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl Accounts {
    /// Writes a link for a new password of somebody, and returns it.
    pub async fn insert_reset_link(&self, tx: &mut Tx, person: &PersonRow) -> Result<String, Fault> {
        let token = Token::new();
        let of = (person.summary.id, person.summary.email.as_str());
        self.insert_link_of(tx, of, LinkPurpose::ResetPassword, RESET_SECONDS, &token).await?;
        Ok(self.link(RESET_PAGE, &token))
    }

    /// Has a link for a new password mailed to the account with this address. Whether there is one is looked at after the
    /// answer: up to then nothing differs, neither in words nor in what is written, and so not in time.
    ///
    /// # Errors
    /// `Invalid` where it is no address, `RateLimited` (3 an hour for an address), `Conflict` without mail.
    pub async fn request_reset(&self, email: &str, meta: &RequestMeta) -> Result<(), Fault> {
        self.require_mail()?;
        let email = Email::parse(email)?;
        let mut tx = self.store.write().await?;
        let over = self.limits.count_mail_in(&mut tx, meta, "reset", &email).await?;
        if over.is_ok() {
            tx.insert_reset_request(&ResetRequest {
                id: self.clock.new_id(),
                email: email.given().to_owned(),
                address: meta.address.0.to_string(),
                user_agent: meta.user_agent.clone(),
                created_at: self.clock.now(),
            })
            .await?;
        }
        tx.commit().await?;
        over?;
        self.reset_asked.notify_one();
        Ok(())
    }

    /// Mails the links for new passwords that were asked for. Of several instances that do so at once, one mails each.
    ///
    /// # Errors
    /// As the database says; what is not done stays for the next time.
    pub async fn carry_out_resets(&self) -> Result<(), Fault> {
        loop {
            let requests = self.store.read().await?.list_reset_requests(REQUESTS).await?;
            if requests.is_empty() {
                return Ok(());
            }
            let mut failed = None;
            for request in requests {
                failed = self.carry_out_reset(&request).await.err().or(failed);
            }
            if let Some(fault) = failed {
                return Err(fault);
            }
        }
    }

    async fn carry_out_reset(&self, request: &ResetRequest) -> Result<(), Fault> {
        let meta = RequestMeta::new(ClientAddress(request.address.parse().unwrap_or(UNKNOWN)), &request.user_agent);
        let mut tx = self.store.write().await?;
        if !tx.delete_reset_request(request.id).await? {
            return Ok(());
        }
        // Whoever asked yesterday, before the server was stopped, has asked again or given up.
        if request.created_at.plus_seconds(REQUEST_SECONDS) < self.clock.now() {
            return Ok(tx.commit().await?);
        }
        let email = Email::parse(&request.email)?;
        let found = tx.find_user_by_email(email.key()).await?.filter(|user| user.disabled_at.is_none());
        if let Some(user) = found
            && let Some(user) = tx.find_user(user.id).await?
        {
            let token = Token::new();
            let link = self.link(RESET_PAGE, &token);
            self.insert_link_of(&mut tx, (user.id, &user.email), LinkPurpose::ResetPassword, RESET_SECONDS, &token)
                .await?;
            self.post(&mut tx, &user.email, |texts| Letter::reset_password(texts, &link)).await?;
            // Anybody can ask; it is not known who did.
            let event = AuditEvent {
                actor: None,
                subject: Some(user.id),
                action: AuditAction::AskReset,
                outcome: Outcome::Done,
                detail: "",
            };
            meta.record(&mut tx, &self.clock, &event).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Mails what is asked for, until `shutdown`.
    pub async fn watch_resets(self, shutdown: CancellationToken) {
        loop {
            if let Err(fault) = self.carry_out_resets().await {
                tracing::error!(%fault, "links for new passwords could not be mailed; the next look tries again");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.reset_asked.notified() => {}
                () = sleep(PERIOD) => {}
            }
            // The answer is out before.
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(PAUSE) => {}
            }
        }
    }

    /// A link for a new password, for an administrator or operator to hand over where no mails are sent. It is shown
    /// once. The access policy decides who may ask for it.
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
    pub async fn reset_password(&self, token: &str, password: String, meta: &RequestMeta) -> Result<(), Fault> {
        self.limits.count_link(meta).await?;
        let found = self.find_resetting(token).await;
        let (hash, user) = self.note_if_dead(AuditAction::ResetPassword, meta, found).await?;
        rule::check(&password, &user.email, &user.name)?;
        let password_hash = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        // The account before its link, as everywhere where both are written.
        tx.renew_credentials(user.id, None, now).await?;
        tx.use_link(&hash, LinkPurpose::ResetPassword, now).await?.ok_or_else(dead)?;
        tx.replace_password_hash(user.id, &password_hash).await?;
        // What somebody else may have begun in the name of the owner ends with the old password.
        tx.forget_what_was_begun(user.id).await?;
        self.notify(&mut tx, &user.email, Notice::PasswordReset, meta).await?;
        meta.record_own_on(&mut tx, &self.clock, user.id, AuditAction::ResetPassword, "").await?;
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
