//! Mails that anyone can request with only an address: a link to reset the password, or to confirm the address.
//!
//! Whether an account has the address is checked only after the response. Until then the response and the database
//! writes are the same, and so is the response time.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Accounts;
use crate::{
    domain::Email,
    server::{
        audit::{ClientAddress, RequestMeta},
        fault::Fault,
        store::{LinkPurpose, MailRequest},
    },
};

/// Time between two polls for requests left by another instance or by an earlier process.
const POLL_INTERVAL: Duration = Duration::from_secs(10);
/// Delay between a request and its processing.
const PROCESSING_DELAY: Duration = Duration::from_millis(200);
/// Requests per batch.
const BATCH_SIZE: u32 = 100;
/// Requests older than this many seconds are dropped.
const MAX_REQUEST_AGE_SECONDS: i64 = 86_400;
/// Used if a stored IP address cannot be parsed.
const UNKNOWN_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl Accounts {
    /// Queues a reset mail for the account with this address, if there is one.
    ///
    /// # Errors
    /// `Invalid` for a malformed address; `RateLimited` (3 an hour per address); `Conflict` if this installation does
    /// not send mails.
    pub async fn request_reset(&self, email: &str, meta: &RequestMeta) -> Result<Email, Fault> {
        self.request_mail(LinkPurpose::ResetPassword, "reset", email, meta).await
    }

    /// Queues another verification mail for the account with this address, if there is one; a notice if its address is
    /// verified already. Counts against the same limit as the mail of the sign-up.
    ///
    /// # Errors
    /// As [`Self::request_reset`].
    pub async fn request_confirmation(&self, email: &str, meta: &RequestMeta) -> Result<Email, Fault> {
        self.request_mail(LinkPurpose::VerifyAddress, "sign-up", email, meta).await
    }

    async fn request_mail(
        &self,
        purpose: LinkPurpose,
        counted_as: &str,
        email: &str,
        meta: &RequestMeta,
    ) -> Result<Email, Fault> {
        self.require_mail()?;
        let email = Email::parse(email)?;
        let mut tx = self.store.write().await?;
        let limited = self.limits.count_mail_in(&mut tx, meta, counted_as, &email).await?;
        if limited.is_ok() {
            tx.insert_mail_request(&MailRequest {
                id: self.clock.new_id(),
                purpose,
                email: email.as_entered().to_owned(),
                address: meta.address.0.to_string(),
                user_agent: meta.user_agent.clone(),
                created_at: self.clock.now(),
            })
            .await?;
        }
        tx.commit().await?;
        limited?;
        self.mail_requested.notify_one();
        Ok(email)
    }

    /// Sends the mails that were requested. If several instances do so at the same time, each request is processed
    /// once.
    ///
    /// # Errors
    /// Database errors. What failed is retried next time.
    pub async fn process_mail_requests(&self) -> Result<(), Fault> {
        loop {
            let requests = self.store.read().await?.engine().list_mail_requests(BATCH_SIZE).await?;
            if requests.is_empty() {
                return Ok(());
            }
            let mut failed = None;
            for request in requests {
                failed = self.process_mail_request(&request).await.err().or(failed);
            }
            if let Some(fault) = failed {
                return Err(fault);
            }
        }
    }

    async fn process_mail_request(&self, request: &MailRequest) -> Result<(), Fault> {
        let address = ClientAddress(request.address.parse().unwrap_or(UNKNOWN_ADDRESS));
        let meta = RequestMeta::new(address, &request.user_agent);
        let mut tx = self.store.write().await?;
        if !tx.engine().delete_mail_request(request.id).await? {
            return Ok(());
        }
        // The server was stopped for more than a day; the user has requested another mail or given up.
        if request.created_at.plus_seconds(MAX_REQUEST_AGE_SECONDS) < self.clock.now() {
            return Ok(tx.commit().await?);
        }
        let email = Email::parse(&request.email)?;
        match request.purpose {
            LinkPurpose::VerifyAddress => self.mail_owner_about_sign_up(&mut tx, &email).await?,
            _ => self.mail_reset_link(&mut tx, &email, &meta).await?,
        }
        tx.commit().await?;
        Ok(())
    }

    /// Processes requests until `shutdown`.
    pub async fn run_request_mailer(self, shutdown: CancellationToken) {
        loop {
            if let Err(fault) = self.process_mail_requests().await {
                tracing::error!(%fault, "cannot process requested mails; retrying later");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.mail_requested.notified() => {}
                () = sleep(POLL_INTERVAL) => {}
            }
            // So that the response is sent before the request is processed.
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = sleep(PROCESSING_DELAY) => {}
            }
        }
    }
}
