//! Proving again who one is, before something that matters.

use tower_sessions::Session;

use super::{Accounts, Caller};
use crate::{
    domain::{AppError, AuditAction, Proof, UserId},
    server::{
        audit::{Refusal, RequestMeta},
        fault::Fault,
    },
};

/// Seconds for which a proof of who somebody is holds.
const FRESH_SECONDS: i64 = 600;

impl Accounts {
    /// Refuses a caller whose last proof of who they are is older than 10 minutes.
    ///
    /// # Errors
    /// `Stale`.
    pub fn require_fresh(&self, caller: &Caller) -> Result<(), AppError> {
        if caller.authenticated_at.plus_seconds(FRESH_SECONDS) < self.clock.now() {
            return Err(AppError::Stale);
        }
        Ok(())
    }

    /// How the caller can prove again who they are, without what providers do.
    pub(super) async fn own_proof(&self, caller: &Caller) -> Result<Proof, Fault> {
        let factors = self.factors.list(caller).await?.factors;
        Ok(Proof {
            fresh: self.require_fresh(caller).is_ok(),
            password: self.has_password(caller.user.id).await?,
            code: !factors.is_empty(),
            passkey: self.factors.has_passkey(&factors),
            providers: Vec::new(),
        })
    }

    /// Proves again who the caller is: by their password where they have one, and by a code of the second factor where they
    /// have one (R04). The session gets a new id.
    ///
    /// # Errors
    /// `Invalid` on `password` or `code`; `RateLimited`, counted together with sign-ins; `Conflict` for whoever has
    /// neither and must go another way.
    pub async fn confirm(
        &self,
        caller: &Caller,
        password: String,
        code: &str,
        meta: &RequestMeta,
        session: &Session,
    ) -> Result<(), Fault> {
        let user = caller.user.id;
        let (has_password, has_factor) =
            (self.has_password(user).await?, !self.factors.list(caller).await?.factors.is_empty());
        if !has_password && !has_factor {
            return Err(AppError::conflict(reason!("password_not_set")).into());
        }
        if has_password {
            self.verify_own(caller, password, "password", AuditAction::Confirm, meta).await?;
        }
        if has_factor {
            self.limits.count_code_of(meta, user).await?;
            if !self.factors.use_code(user, code).await? {
                let refusal = Refusal { subject: Some(user), action: AuditAction::Confirm, detail: "" };
                let wrong = Err(super::factors::wrong_code().into());
                return meta.record_if_refused(&self.store, &self.clock, refusal, wrong).await;
            }
            self.limits.reset_code_of(user).await?;
        }
        self.confirmed(caller, meta, session).await
    }

    /// Notes that the caller has proved who they are. The session gets a new id (S02).
    pub(super) async fn confirmed(&self, caller: &Caller, meta: &RequestMeta, session: &Session) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        tx.confirm_sign_in(caller.sign_in, self.clock.now()).await?;
        meta.record_own(&mut tx, &self.clock, caller.user.id, AuditAction::Confirm).await?;
        tx.commit().await?;
        self.name_in(session, caller).await
    }

    /// Whether somebody has a password. Who came by a provider has none at first.
    pub(super) async fn has_password(&self, user: UserId) -> Result<bool, Fault> {
        Ok(self.store.read().await?.find_password_hash(user).await?.is_some_and(|hash| !hash.is_empty()))
    }
}
