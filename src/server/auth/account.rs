//! Signing in and out, and finding the caller of a session.

use super::{
    Accounts, Caller, Credentials, SessionChange, SessionState,
    password::{Verified, is_valid_length},
    sign_in_attempt::SignInAttempt,
};
use crate::{
    domain::{AppError, AuditAction, CurrentUser, Email, Role, SignInId, SignInStep, UserId},
    i18n::Language,
    server::{
        audit::{RefusedEvent, RequestMeta},
        config::SessionConfig,
        fault::Fault,
        limits::CountedAttempts,
        mail::Notice,
        store::{NewSignIn, Tx},
    },
};

/// Minimum seconds between two updates of a sign-in's last use.
const TOUCH_INTERVAL_SECONDS: i64 = 60;

impl Accounts {
    /// Signs in with an email address and a password, or returns that a second factor is required.
    ///
    /// # Errors
    /// The same `Invalid` for an unknown address and a wrong password; `RateLimited`; `Conflict` if the password is
    /// right but the address must be verified first (another link is then mailed).
    pub async fn sign_in(
        &self,
        credentials: Credentials,
        session: &SessionState,
    ) -> Result<(SignInStep, SessionChange), Fault> {
        let wrong = || AppError::invalid("password", reason!("sign_in_wrong"));
        let email = Email::parse(&credentials.email)?;
        self.limits.count_sign_in(&credentials.meta, &email).await?;
        if !is_valid_length(&credentials.password) {
            return Err(wrong().into());
        }
        let found = self.store.read().await?.find_user_by_email(email.key()).await?;
        let stored = found.as_ref().map(|user| user.password_hash.clone());
        let verified = self.passwords.verify(credentials.password.clone(), stored.clone()).await?;
        let Some(user) = found.as_ref().filter(|user| verified != Verified::No && user.disabled_at.is_none()) else {
            // Recorded for unknown accounts too, so that the response time does not reveal whether an account exists.
            let refusal = RefusedEvent { subject: found.map(|user| user.id), action: AuditAction::SignIn, detail: "" };
            return credentials.meta.record_if_refused(&self.store, &self.clock, refusal, Err(wrong().into())).await;
        };
        if let (Verified::Rehashed(new), Some(old)) = (verified, stored) {
            let mut tx = self.store.write().await?;
            tx.owned_by(user.id).update_password_hash(&old, &new).await?;
            tx.commit().await?;
        }
        let person = self.store.read().await?.owned_by(user.id).find_user().await?.ok_or_else(wrong)?;
        if user.must_verify {
            self.limits.reset_sign_in(&credentials.meta, &email).await?;
            return self.refuse_unverified(person.id, &email, &credentials.meta).await;
        }
        let attempt = SignInAttempt {
            remember: credentials.remember,
            meta: &credentials.meta,
            method: "",
            credentials: user.credentials_version,
            refusal: wrong(),
            counted: CountedAttempts::Password(&email),
        };
        self.complete_first_factor(person, &attempt, session).await
    }

    /// Refuses a sign-in to an account whose address must be verified first. Mails another link, unless rate-limited;
    /// the error says which.
    async fn refuse_unverified<T>(&self, user: UserId, email: &Email, meta: &RequestMeta) -> Result<T, Fault> {
        let unverified = match self.send_verification(user, email, meta).await {
            Ok(()) => AppError::conflict(reason!("email_unverified")),
            Err(Fault::App(AppError::RateLimited { .. })) => AppError::conflict(reason!("email_unverified_mailed")),
            Err(fault) => return Err(fault),
        };
        let refusal = RefusedEvent { subject: Some(user), action: AuditAction::SignIn, detail: "email not confirmed" };
        meta.record_if_refused(&self.store, &self.clock, refusal, Err(unverified.into())).await
    }

    /// Creates a sign-in for a session, and revokes the one that the session held before. Fails with `Conflict` if the
    /// address must be verified first, and with the attempt's `refusal` if the credentials have changed meanwhile.
    pub(super) async fn create_sign_in(
        &self,
        user: CurrentUser,
        attempt: &SignInAttempt<'_>,
        session: &SessionState,
    ) -> Result<SessionChange, Fault> {
        let (idle, absolute) = lifetimes(&self.lifetimes, user.role, attempt.remember);
        let (sign_in, now) = (SignInId::from_uuid(self.clock.new_id()), self.clock.now());
        let mut tx = self.begin_sign_in_tx(user.id, attempt).await?;
        // Applies to every sign-in method.
        if tx.owned_by(user.id).find_address_state().await?.is_some_and(|state| state.must_verify) {
            tx.commit().await?;
            return self.refuse_unverified(user.id, &Email::parse(&user.email)?, attempt.meta).await;
        }
        let new = NewSignIn {
            id: sign_in,
            credentials: attempt.credentials,
            created_at: now,
            idle_seconds: idle,
            ends_at: now.plus_seconds(absolute),
            user_agent: &attempt.meta.user_agent,
            address: &attempt.meta.address.0.to_canonical().to_string(),
        };
        tx.owned_by(user.id).insert_sign_in(&new).await?;
        self.notify_new_device(&mut tx, &user, attempt.meta).await?;
        attempt.meta.record_own_with_detail(&mut tx, &self.clock, user.id, AuditAction::SignIn, attempt.method).await?;
        tx.commit().await?;
        self.end_previous_sign_in(attempt.meta, session).await?;
        Ok(self.signed_in(sign_in, 0, idle))
    }

    /// Notifies the owner of a sign-in from a new device: one that resembles no recorded sign-in. The first sign-in of
    /// an account is not reported.
    async fn notify_new_device(&self, tx: &mut Tx, user: &CurrentUser, meta: &RequestMeta) -> Result<(), Fault> {
        if !self.notifier.is_enabled() {
            return Ok(());
        }
        let known = tx.owned_by(user.id).list_known_devices().await?;
        if known.is_empty() || known.iter().any(|(agent, address)| meta.resembles(agent, address)) {
            return Ok(());
        }
        Ok(self.notify(tx, &user.email, Notice::NewDevice, meta).await?)
    }

    /// Rotates the session of a sign-in: new id, new serial. Copies of the previous session record are no longer valid.
    pub(super) async fn rotate_session(&self, caller: &Caller) -> Result<SessionChange, Fault> {
        let mut tx = self.store.write().await?;
        let serial = tx.rotate_sign_in(caller.sign_in).await?.ok_or(AppError::Unauthenticated)?;
        tx.commit().await?;
        Ok(self.signed_in(caller.sign_in, serial, caller.idle_seconds))
    }

    /// The change to a session with this sign-in. The cookie of a remembered one outlives the browser.
    fn signed_in(&self, sign_in: SignInId, serial: i64, idle_seconds: i64) -> SessionChange {
        let cookie_seconds = (idle_seconds == self.lifetimes.remembered).then_some(idle_seconds);
        SessionChange::SignedIn { sign_in, serial, cookie_seconds }
    }

    /// Revokes the sign-in that the session held before. Otherwise the user could no longer reach it to end it.
    pub(super) async fn end_previous_sign_in(&self, meta: &RequestMeta, session: &SessionState) -> Result<(), Fault> {
        let Some(previous) = session.sign_in else { return Ok(()) };
        let (mut tx, now) = (self.store.write().await?, self.clock.now());
        if let Some(owner) = tx.find_signed_in(previous, now).await? {
            tx.end_sign_in(previous, now).await?;
            meta.record_own(&mut tx, &self.clock, owner.user.id, AuditAction::SignOut).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Revokes the caller's sign-in on every instance.
    pub async fn sign_out(&self, caller: &Caller, meta: &RequestMeta) -> Result<SessionChange, Fault> {
        let mut tx = self.store.write().await?;
        tx.end_sign_in(caller.sign_in, self.clock.now()).await?;
        meta.record_own(&mut tx, &self.clock, caller.user.id, AuditAction::SignOut).await?;
        tx.commit().await?;
        Ok(SessionChange::SignedOut)
    }

    /// The caller of a session, if its sign-in is valid. Updates the last use at most once a minute, as a deferred
    /// write, so reads never wait for a write.
    ///
    /// # Errors
    /// Database errors.
    pub async fn authenticate_session(&self, session: &SessionState) -> Result<Option<Caller>, Fault> {
        match session.sign_in {
            Some(sign_in) => self.find_caller(sign_in, Some(session.serial)).await,
            None => Ok(None),
        }
    }

    /// The caller of a sign-in, if it is valid.
    pub async fn find_caller_by_sign_in(&self, sign_in: SignInId) -> Result<Option<Caller>, Fault> {
        self.find_caller(sign_in, None).await
    }

    async fn find_caller(&self, sign_in: SignInId, serial: Option<i64>) -> Result<Option<Caller>, Fault> {
        let now = self.clock.now();
        let last_use = self.deferred.last_use(sign_in);
        let found = self.store.read().await?.find_signed_in_with_last_use(sign_in, last_use, now).await?;
        let Some(signed_in) = found.filter(|found| serial.is_none_or(|serial| serial == found.serial)) else {
            return Ok(None);
        };
        if last_use.unwrap_or(signed_in.last_used_at).plus_seconds(TOUCH_INTERVAL_SECONDS) < now {
            self.deferred.touch(sign_in, signed_in.user.id, now);
        }
        Ok(Some(Caller {
            must_enrol: !signed_in.has_factor && self.factors.is_required_of(&signed_in.user),
            user: signed_in.user,
            sign_in,
            authenticated_at: signed_in.authenticated_at,
            idle_seconds: signed_in.idle_seconds,
            language: Language::from_tag(&signed_in.language).unwrap_or_default(),
        }))
    }
}

/// The idle timeout and the absolute lifetime of a sign-in, in seconds.
const fn lifetimes(config: &SessionConfig, role: Role, remember: bool) -> (i64, i64) {
    match (remember, role) {
        (true, _) => (config.remembered, config.remembered),
        (false, Role::Member) => (config.idle, config.absolute),
        (false, Role::Administrator) => (config.administrator_idle, config.administrator_absolute),
    }
}
