//! Re-authentication: the caller proves their identity again before a sensitive action.

use super::{Accounts, Caller, SessionChange};
use crate::{
    domain::{AppError, AuditAction, Factor, ReauthMethods, UserId},
    server::{
        audit::{RefusedEvent, RequestMeta},
        fault::Fault,
        store::Tx,
    },
};

/// How long an authentication counts as recent, in seconds.
const RECENT_AUTHENTICATION_SECONDS: i64 = 600;

impl Accounts {
    /// Requires that the caller authenticated within the last 10 minutes.
    ///
    /// # Errors
    /// `ReauthRequired`.
    pub fn require_recent_authentication(&self, caller: &Caller) -> Result<(), AppError> {
        if caller.authenticated_at.plus_seconds(RECENT_AUTHENTICATION_SECONDS) < self.clock.now() {
            return Err(AppError::ReauthRequired);
        }
        Ok(())
    }

    /// The ways in which the caller, who has these factors, can re-authenticate, except for identity providers.
    pub(super) async fn reauth_methods_in(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        factors: &[Factor],
    ) -> Result<ReauthMethods, Fault> {
        Ok(ReauthMethods {
            recently_authenticated: self.require_recent_authentication(caller).is_ok(),
            password: has_password(tx, caller.user.id).await?,
            code: !factors.is_empty(),
            passkey: self.factors.has_passkey(factors),
            providers: Vec::new(),
        })
    }

    /// Re-authenticates the caller: checks the password if they have one, and a second-factor code if they have a
    /// second factor (R04). Rotates the session id.
    ///
    /// # Errors
    /// `Invalid` on `password` or `code`; `RateLimited`, with the same counters as sign-in; `Conflict` if the caller
    /// has neither and must use another method.
    pub async fn reauthenticate(
        &self,
        caller: &Caller,
        password: String,
        code: &str,
        meta: &RequestMeta,
    ) -> Result<SessionChange, Fault> {
        let user = caller.user.id;
        let mut tx = self.store.read().await?;
        let has_password = has_password(&mut tx, user).await?;
        let has_factor = !self.factors.list_in(&mut tx, caller).await?.factors.is_empty();
        drop(tx);
        if !has_password && !has_factor {
            return Err(AppError::conflict(reason!("password_not_set")).into());
        }
        if has_password {
            self.verify_own_password(caller, password, "password", AuditAction::Confirm, meta).await?;
        }
        if has_factor {
            self.limits.count_code_for_user(meta, user).await?;
            if !self.factors.use_code(user, code).await? {
                let refusal = RefusedEvent { subject: Some(user), action: AuditAction::Confirm, detail: "" };
                let wrong = Err(super::factors::wrong_code().into());
                return meta.record_if_refused(&self.store, &self.clock, refusal, wrong).await;
            }
            self.limits.reset_code_for_user(user).await?;
        }
        self.record_reauthentication(caller, meta).await
    }

    /// Records that the caller has re-authenticated. Rotates the session id (S02).
    pub(super) async fn record_reauthentication(
        &self,
        caller: &Caller,
        meta: &RequestMeta,
    ) -> Result<SessionChange, Fault> {
        let mut tx = self.store.write().await?;
        tx.confirm_sign_in(caller.sign_in, self.clock.now()).await?;
        meta.record_own(&mut tx, &self.clock, caller.user.id, AuditAction::Confirm).await?;
        tx.commit().await?;
        self.rotate_session(caller).await
    }
}

/// Whether the user has a password. An account created through an identity provider has none at first.
pub(super) async fn has_password(tx: &mut Tx, user: UserId) -> Result<bool, Fault> {
    Ok(tx.owned_by(user).find_password_hash().await?.is_some_and(|hash| !hash.is_empty()))
}
