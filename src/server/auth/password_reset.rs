//! Password reset by mail ("forgot password").

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Accounts, Token,
    links::{hash_token, invalid_link},
    password_policy,
};
use crate::{
    domain::{AppError, AuditAction, CurrentUser, Email, Outcome, UserId},
    server::{
        audit::{AuditEvent, ClientAddress, RequestMeta},
        fault::Fault,
        mail::{MailContent, Notice},
        store::{LinkPurpose, ResetRequest, TokenHash, Tx},
    },
};

/// How long a reset link is valid, in seconds.
const RESET_LINK_SECONDS: i64 = 15 * 60;
/// The page of a reset link, up to the token.
const RESET_PAGE: &str = "/reset-password?token";
/// Time between two polls for requests left by another instance or by an earlier process.
const POLL_INTERVAL: Duration = Duration::from_secs(10);
/// Delay between a reset request and its processing.
const PROCESSING_DELAY: Duration = Duration::from_millis(200);
/// Requests per batch.
const BATCH_SIZE: u32 = 100;
/// Requests older than this many seconds are dropped.
const MAX_REQUEST_AGE_SECONDS: i64 = 86_400;
/// Used if a stored IP address cannot be parsed.
const UNKNOWN_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl Accounts {
    /// Inserts a reset link for the user with this id and email address, and returns it.
    pub async fn insert_reset_link(&self, tx: &mut Tx, owner: (UserId, &str)) -> Result<String, Fault> {
        let token = Token::new();
        self.insert_account_link(tx, owner, LinkPurpose::ResetPassword, RESET_LINK_SECONDS, &token).await?;
        Ok(self.link(RESET_PAGE, &token))
    }

    /// Queues a reset mail for the account with this address. Whether such an account exists is checked only after the
    /// response: until then the response and the database writes are the same, and so is the response time.
    ///
    /// # Errors
    /// `Invalid` for a malformed address; `RateLimited` (3 an hour per address); `Conflict` if this installation does
    /// not send mails.
    pub async fn request_reset(&self, email: &str, meta: &RequestMeta) -> Result<(), Fault> {
        self.require_mail()?;
        let email = Email::parse(email)?;
        let mut tx = self.store.write().await?;
        let limited = self.limits.count_mail_in(&mut tx, meta, "reset", &email).await?;
        if limited.is_ok() {
            tx.insert_reset_request(&ResetRequest {
                id: self.clock.new_id(),
                email: email.as_entered().to_owned(),
                address: meta.address.0.to_string(),
                user_agent: meta.user_agent.clone(),
                created_at: self.clock.now(),
            })
            .await?;
        }
        tx.commit().await?;
        limited?;
        self.reset_requested.notify_one();
        Ok(())
    }

    /// Mails the reset links that were requested. If several instances do so at the same time, each request is
    /// processed once.
    ///
    /// # Errors
    /// Database errors. What failed is retried next time.
    pub async fn process_reset_requests(&self) -> Result<(), Fault> {
        loop {
            let requests = self.store.read().await?.engine().list_reset_requests(BATCH_SIZE).await?;
            if requests.is_empty() {
                return Ok(());
            }
            let mut failed = None;
            for request in requests {
                failed = self.process_reset_request(&request).await.err().or(failed);
            }
            if let Some(fault) = failed {
                return Err(fault);
            }
        }
    }

    async fn process_reset_request(&self, request: &ResetRequest) -> Result<(), Fault> {
        let meta =
            RequestMeta::new(ClientAddress(request.address.parse().unwrap_or(UNKNOWN_ADDRESS)), &request.user_agent);
        let mut tx = self.store.write().await?;
        if !tx.engine().delete_reset_request(request.id).await? {
            return Ok(());
        }
        // The server was stopped for more than a day; the user has requested another link or given up.
        if request.created_at.plus_seconds(MAX_REQUEST_AGE_SECONDS) < self.clock.now() {
            return Ok(tx.commit().await?);
        }
        let email = Email::parse(&request.email)?;
        let found = tx.find_user_by_email(email.key()).await?.filter(|user| user.disabled_at.is_none());
        if let Some(user) = found
            && let Some(user) = tx.owned_by(user.id).find_user().await?
        {
            let link = self.insert_reset_link(&mut tx, (user.id, &user.email)).await?;
            self.queue_mail(&mut tx, &user.email, |texts| MailContent::reset_password(texts, &link)).await?;
            // Anyone can request a reset, so the actor is unknown.
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

    /// Processes reset requests until `shutdown`.
    pub async fn run_reset_mailer(self, shutdown: CancellationToken) {
        loop {
            if let Err(fault) = self.process_reset_requests().await {
                tracing::error!(%fault, "cannot process password reset requests; retrying later");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.reset_requested.notified() => {}
                () = sleep(POLL_INTERVAL) => {}
            }
            // So that the response is sent before the request is processed.
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(PROCESSING_DELAY) => {}
            }
        }
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
