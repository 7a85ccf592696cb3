//! What people change about their own accounts.

use tower_sessions::Session;

use super::{Accounts, Caller, Origin, password::Verified, rule, throttle};
use crate::{
    domain::{AppError, AuditAction, Email, Language, Outcome, UserId, limits, parse_name},
    server::fault::Fault,
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

    /// Proves again who the caller is, by their password. The session gets a new id.
    ///
    /// # Errors
    /// `Invalid` on `password`; `RateLimited`, counted together with sign-ins.
    pub async fn confirm(
        &self,
        caller: &Caller,
        password: String,
        origin: &Origin,
        session: &Session,
    ) -> Result<(), Fault> {
        self.verify_own(caller, password, "password", AuditAction::Confirm, origin).await?;
        let mut tx = self.store.write().await?;
        tx.confirm_sign_in(caller.sign_in, self.clock.now()).await?;
        origin.note(&mut tx, &self.clock, caller.user.id, AuditAction::Confirm, Outcome::Done).await?;
        tx.commit().await?;
        self.name_in(session, caller).await
    }

    /// Gives the caller another password, and ends all their other sign-ins.
    ///
    /// # Errors
    /// `Invalid` on `current` or `password`; `RateLimited`, counted together with sign-ins.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: String,
        password: String,
        origin: &Origin,
    ) -> Result<(), Fault> {
        let user = &caller.user;
        rule::check(&password, &user.email, &user.name)?;
        let old = self.verify_own(caller, current, "current", AuditAction::ChangePassword, origin).await?;
        let new = self.passwords.hash(password).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        if !tx.update_password_hash(user.id, &old, &new).await? {
            let reason = "The password was changed by another window just now. Reload the page.";
            return Err(AppError::conflict(reason).into());
        }
        tx.end_sign_ins(user.id, Some(caller.sign_in), now).await?;
        tx.delete_pending_sign_ins_of(user.id).await?;
        tx.confirm_sign_in(caller.sign_in, now).await?;
        origin.note(&mut tx, &self.clock, user.id, AuditAction::ChangePassword, Outcome::Done).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives the caller another name.
    ///
    /// # Errors
    /// `Invalid` on `name`.
    pub async fn change_name(&self, caller: &Caller, name: &str, origin: &Origin) -> Result<(), Fault> {
        let name = parse_name(name)?;
        let mut tx = self.store.write().await?;
        tx.update_name(caller.user.id, &name).await?;
        origin.note(&mut tx, &self.clock, caller.user.id, AuditAction::ChangeName, Outcome::Done).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Verifies the caller's own password, with the limits of a sign-in; gives its hash.
    async fn verify_own(
        &self,
        caller: &Caller,
        password: String,
        field: &'static str,
        action: AuditAction,
        origin: &Origin,
    ) -> Result<String, Fault> {
        let wrong = || AppError::invalid(field, "The password is not right.");
        let email = Email::parse(&caller.user.email)?;
        throttle::count_sign_in(&self.store, &self.clock, origin.address, &email).await?;
        if password.is_empty() || password.len() > limits::PASSWORD_MAX_BYTES {
            return Err(wrong().into());
        }
        let stored = self.store.read().await?.find_password_hash(caller.user.id).await?.ok_or_else(wrong)?;
        if self.passwords.verify(password, Some(stored.clone())).await? == Verified::No {
            let mut tx = self.store.write().await?;
            origin.note(&mut tx, &self.clock, caller.user.id, action, Outcome::Refused).await?;
            tx.commit().await?;
            return Err(wrong().into());
        }
        throttle::forgive_sign_in(&self.store, origin.address, &email).await?;
        Ok(stored)
    }

    /// The language of somebody's pages.
    ///
    /// # Errors
    /// As the database says.
    pub async fn language(&self, user: UserId) -> Result<Language, Fault> {
        let tag = self.store.read().await?.find_language(user).await?;
        Ok(tag.as_deref().and_then(Language::from_tag).unwrap_or_default())
    }

    /// Gives the caller's pages another language, by its tag.
    ///
    /// # Errors
    /// `Invalid` on `language`.
    pub async fn change_language(&self, caller: &Caller, tag: &str, origin: &Origin) -> Result<(), Fault> {
        let unknown = || AppError::invalid("language", "Choose a language from the list.");
        let language = Language::from_tag(tag).ok_or_else(unknown)?;
        let mut tx = self.store.write().await?;
        tx.update_language(caller.user.id, language.tag()).await?;
        origin.note(&mut tx, &self.clock, caller.user.id, AuditAction::ChangeLanguage, Outcome::Done).await?;
        tx.commit().await?;
        Ok(())
    }
}
