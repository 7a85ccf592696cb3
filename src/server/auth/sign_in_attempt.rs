//! The last step of every sign-in method: the verified credentials must still be valid when the sign-in is written.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::BoxFuture;

use super::Accounts;
use crate::{
    domain::{AppError, AuditAction, UserId},
    server::{
        audit::{RefusedEvent, RequestMeta},
        fault::Fault,
        limits::CountedAttempts,
        store::{CredentialsVersion, Tx},
    },
};

/// A sign-in attempt whose credentials are verified: where it comes from, how long it shall last, and the method used.
#[derive(Debug)]
pub(super) struct SignInAttempt<'a> {
    pub remember: bool,
    pub meta: &'a RequestMeta,
    /// The sign-in method for the audit log; empty for password only.
    pub method: &'a str,
    /// The version of the credentials, read before verification began.
    pub credentials: CredentialsVersion,
    /// The error if the credentials have changed since then; the same as for wrong credentials.
    pub refusal: AppError,
    /// The rate-limit counters to reset on success.
    pub counted: CountedAttempts<'a>,
}

impl Accounts {
    /// Begins the transaction that signs the user in or stores the pending second factor. It locks the credentials, so
    /// a concurrent revocation waits until the transaction ends.
    ///
    /// # Errors
    /// The attempt's `refusal` if a password was changed, a factor removed, the account disabled or similar since
    /// verification began. Anything that revokes existing sign-ins also cancels this one.
    pub(super) async fn begin_sign_in_tx(&self, user: UserId, attempt: &SignInAttempt<'_>) -> Result<Tx, Fault> {
        self.sign_in_hook.run().await;
        let mut tx = self.store.write().await?;
        if tx.owned_by(user).lock_credentials().await? == Some(attempt.credentials) {
            self.limits.reset_attempts(&mut tx, attempt.meta, user, &attempt.counted).await?;
            return Ok(tx);
        }
        // The audit event does not name an account that has been deleted meanwhile.
        let subject = tx.owned_by(user).find_credentials_version().await?.map(|_| user);
        drop(tx);
        let refusal = RefusedEvent { subject, action: AuditAction::SignIn, detail: attempt.method };
        let refused = Err(attempt.refusal.clone().into());
        attempt.meta.record_if_refused(&self.store, &self.clock, refusal, refused).await
    }

    /// Runs `hook` after the next sign-in has been verified and before it is written. Tests use this to force a race.
    pub fn run_before_next_sign_in(&self, hook: impl Future<Output = ()> + Send + 'static) {
        *self.sign_in_hook.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(hook));
    }
}

/// A test hook that runs between verifying a sign-in and writing it. Does nothing in production.
#[derive(Clone, Default)]
pub(super) struct SignInHook(Arc<Mutex<Option<BoxFuture<'static, ()>>>>);

impl fmt::Debug for SignInHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInHook")
    }
}

impl SignInHook {
    async fn run(&self) {
        let hook = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(hook) = hook {
            hook.await;
        }
    }
}
