//! Changing one's own password.

use super::{
    Accounts, Caller,
    caller::require_signed_in,
    password::{Verified, is_valid_length},
    password_policy,
    reauth::has_password,
};
use crate::{
    domain::{AppError, AuditAction, Email},
    server::{
        audit::{RefusedEvent, RequestMeta},
        fault::Fault,
        mail::Notice,
    },
};

impl Accounts {
    /// Changes the caller's password, or sets their first one, and revokes all their other sign-ins.
    ///
    /// # Errors
    /// `Invalid` on `current` or `password`; `RateLimited`, with the same counters as sign-in; `ReauthRequired` if the
    /// caller has no password and has not authenticated recently.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: String,
        password: String,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        let user = &caller.user;
        let is_same = current == password;
        password_policy::check(&password, &user.email, &user.name)?;
        let old = if has_password(&mut self.store.read().await?, user.id).await? {
            let old = self.verify_own_password(caller, current, "current", AuditAction::ChangePassword, meta).await?;
            if is_same {
                return Err(AppError::invalid("password", reason!("password_same")).into());
            }
            old
        } else {
            self.require_recent_authentication(caller)?;
            String::new()
        };
        let new = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        require_signed_in(&mut tx, caller, now).await?;
        if !tx.owned_by(user.id).update_password_hash(&old, &new).await? {
            return Err(AppError::conflict(reason!("password_changed_elsewhere")).into());
        }
        tx.owned_by(user.id).renew_credentials(Some(caller.sign_in), now).await?;
        tx.owned_by(user.id).cancel_pending_auth().await?;
        tx.confirm_sign_in(caller.sign_in, now).await?;
        meta.record_own(&mut tx, &self.clock, user.id, AuditAction::ChangePassword).await?;
        self.notify(&mut tx, &user.email, Notice::PasswordChanged, meta).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Verifies the caller's own password, with the rate limits of a sign-in. Returns its hash.
    pub(super) async fn verify_own_password(
        &self,
        caller: &Caller,
        password: String,
        field: &'static str,
        action: AuditAction,
        meta: &RequestMeta,
    ) -> Result<String, Fault> {
        let wrong = || AppError::invalid(field, reason!("password_wrong"));
        let email = Email::parse(&caller.user.email)?;
        self.limits.count_sign_in(meta, &email).await?;
        if !is_valid_length(&password) {
            return Err(wrong().into());
        }
        let stored = self.store.read().await?.owned_by(caller.user.id).find_password_hash().await?.ok_or_else(wrong)?;
        if self.passwords.verify(password, Some(stored.clone())).await? == Verified::No {
            let refusal = RefusedEvent { subject: Some(caller.user.id), action, detail: "" };
            return meta.record_if_refused(&self.store, &self.clock, refusal, Err(wrong().into())).await;
        }
        self.limits.reset_sign_in(meta, &email).await?;
        Ok(stored)
    }
}
