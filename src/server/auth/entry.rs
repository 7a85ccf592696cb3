//! The last step of every way in: what was shown is verified, and still counts when the sign-in is written.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures::future::BoxFuture;

use super::Accounts;
use crate::{
    domain::{AppError, AuditAction, UserId},
    server::{
        audit::{Refusal, RequestMeta},
        fault::Fault,
        limits::Tries,
        store::{CredentialsVersion, Tx},
    },
};

/// Where somebody comes from, how long they want to stay, and by what they come in.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub remember: bool,
    pub meta: &'a RequestMeta,
    /// By which way, in words; empty for a password alone.
    pub by: &'a str,
    /// The credentials that were in force before the verification of what they have shown began.
    pub credentials: CredentialsVersion,
    /// What they are told where others are in force by now: the same as if what they have shown were wrong.
    pub refusal: AppError,
    /// The tries that are given back to whoever comes in.
    pub tries: Tries<'a>,
}

impl Accounts {
    /// Begins the transaction that lets somebody in, or that notes that a second factor is to come. Until it ends, nothing
    /// can end what it writes without waiting for it.
    ///
    /// # Errors
    /// The entry's refusal where a password was changed, a factor removed, an account shut or the like since
    /// the verification began: whatever ends other sign-ins ends this one too.
    pub(super) async fn begin_entry(&self, user: UserId, entry: &Entry<'_>) -> Result<Tx, Fault> {
        self.interlude.pass().await;
        let mut tx = self.store.write().await?;
        if tx.lock_credentials(user).await? == Some(entry.credentials) {
            self.limits.reset(&mut tx, entry.meta, user, &entry.tries).await?;
            return Ok(tx);
        }
        // Nothing is written down for an account that is deleted by now.
        let subject = tx.find_credentials_version(user).await?.map(|_| user);
        drop(tx);
        let refusal = Refusal { subject, action: AuditAction::SignIn, detail: entry.by };
        let refused = Err(entry.refusal.clone().into());
        entry.meta.record_if_refused(&self.store, &self.clock, refusal, refused).await
    }

    /// Has the next sign-in wait, when it is verified and not written yet, until `act` is done. For tests, which thereby
    /// decide a race that would be left to chance.
    pub fn before_next_entry(&self, act: impl Future<Output = ()> + Send + 'static) {
        *self.interlude.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(act));
    }
}

/// What comes between the verification of a sign-in and its writing: nothing but in tests.
#[derive(Clone, Default)]
pub(super) struct Interlude(Arc<Mutex<Option<BoxFuture<'static, ()>>>>);

impl fmt::Debug for Interlude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interlude")
    }
}

impl Interlude {
    async fn pass(&self) {
        let act = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(act) = act {
            act.await;
        }
    }
}
