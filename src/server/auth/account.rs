//! Making accounts, signing in and out, and finding out who asks.

use tower_sessions::{Expiry, Session, cookie::time::Duration};

use super::{
    Accounts, Caller, Credentials,
    entry::Entry,
    password::{Verified, can_be_one},
};
use crate::{
    domain::{AppError, AuditAction, CurrentUser, Email, Role, SignInId, SignInStep, UserId},
    i18n::Language,
    server::{
        audit::{Refusal, RequestMeta},
        config::SessionConfig,
        fault::Fault,
        limits::Tries,
        mail::Notice,
        store::{NewSignIn, Tx},
    },
};

/// The key of a session record's entry for whoever is signed in.
pub(super) const SIGN_IN: &str = "sign_in";
/// The key of the entry that tells this record from earlier ones of the same sign-in; without it, the serial is 0.
const SERIAL: &str = "serial";
/// Seconds after which the use of a sign-in is noted again.
const TOUCH_SECONDS: i64 = 60;

impl Accounts {
    /// Signs in with an address and a password, or says that a second factor must follow.
    ///
    /// # Errors
    /// One and the same `Invalid` for an unknown address and a wrong password; `RateLimited`; `Conflict` where the
    /// password is right but the address must be verified first, for which another link is then sent.
    pub async fn sign_in(&self, credentials: Credentials, session: &Session) -> Result<SignInStep, Fault> {
        let wrong = || AppError::invalid("password", reason!("sign_in_wrong"));
        let email = Email::parse(&credentials.email)?;
        self.limits.count_sign_in(&credentials.meta, &email).await?;
        if !can_be_one(&credentials.password) {
            return Err(wrong().into());
        }
        let found = self.store.read().await?.find_user_by_email(email.key()).await?;
        let stored = found.as_ref().map(|user| user.password_hash.clone());
        let verified = self.passwords.verify(credentials.password.clone(), stored.clone()).await?;
        let Some(user) = found.as_ref().filter(|user| verified != Verified::No && user.disabled_at.is_none()) else {
            // Also where there is no such account, so that the time tells nothing.
            let refusal = Refusal { subject: found.map(|user| user.id), action: AuditAction::SignIn, detail: "" };
            return credentials.meta.record_if_refused(&self.store, &self.clock, refusal, Err(wrong().into())).await;
        };
        if let (Verified::Rehashed(new), Some(old)) = (verified, stored) {
            let mut tx = self.store.write().await?;
            tx.update_password_hash(user.id, &old, &new).await?;
            tx.commit().await?;
        }
        let person = self.store.read().await?.find_user(user.id).await?.ok_or_else(wrong)?;
        if user.must_verify {
            self.limits.reset_sign_in(&credentials.meta, &email).await?;
            return self.ask_to_verify(person.id, &email, &credentials.meta).await;
        }
        let entry = Entry {
            remember: credentials.remember,
            meta: &credentials.meta,
            by: "",
            credentials: user.credentials_version,
            refusal: wrong(),
            tries: Tries::Password(&email),
        };
        self.enter(person, &entry, session).await
    }

    /// Sends another link to the address of an account that cannot be used before, unless that was done just now.
    async fn ask_to_verify<T>(&self, user: UserId, email: &Email, meta: &RequestMeta) -> Result<T, Fault> {
        match self.send_verification(user, email, meta).await {
            Ok(()) | Err(Fault::App(AppError::RateLimited { .. })) => {}
            Err(fault) => return Err(fault),
        }
        let refusal = Refusal { subject: Some(user), action: AuditAction::SignIn, detail: "address not verified" };
        meta.record_if_refused(&self.store, &self.clock, refusal, Err(unverified().into())).await
    }

    /// Writes a sign-in and names it in a session with a new id. `Conflict` where the address must be verified first; the
    /// entry's refusal where what they have shown does not count any more.
    pub(super) async fn begin(&self, user: CurrentUser, entry: &Entry<'_>, session: &Session) -> Result<Caller, Fault> {
        let (idle, absolute) = lifetimes(&self.lifetimes, user.role, entry.remember);
        let (sign_in, now) = (SignInId::from_uuid(self.clock.new_id()), self.clock.now());
        let mut tx = self.begin_entry(user.id, entry).await?;
        // Whichever way they came.
        if tx.find_address_state(user.id).await?.is_some_and(|state| state.must_verify) {
            tx.commit().await?;
            return self.ask_to_verify(user.id, &Email::parse(&user.email)?, entry.meta).await;
        }
        tx.insert_sign_in(&NewSignIn {
            id: sign_in,
            user: user.id,
            credentials: entry.credentials,
            created_at: now,
            idle_seconds: idle,
            ends_at: now.plus_seconds(absolute),
            user_agent: &entry.meta.user_agent,
            address: &entry.meta.address.0.to_canonical().to_string(),
        })
        .await?;
        self.tell_of_new_device(&mut tx, &user, entry.meta).await?;
        entry.meta.record_own_on(&mut tx, &self.clock, user.id, AuditAction::SignIn, entry.by).await?;
        tx.commit().await?;
        self.end_former(entry.meta, session).await?;
        let language = entry.meta.language;
        let caller = Caller { user, sign_in, authenticated_at: now, idle_seconds: idle, language };
        self.name_under(session, &caller, 0).await?;
        Ok(caller)
    }

    /// Tells the owner of an account of a sign-in that resembles none that is written down. Not of the first one: nobody else
    /// has been there yet.
    async fn tell_of_new_device(&self, tx: &mut Tx, user: &CurrentUser, meta: &RequestMeta) -> Result<(), Fault> {
        if !self.notices.are_sent() {
            return Ok(());
        }
        let known = tx.list_sign_in_origins(user.id).await?;
        if known.is_empty() || known.iter().any(|(agent, address)| meta.resembles(agent, address)) {
            return Ok(());
        }
        Ok(self.notify(tx, &user.email, Notice::NewDevice, meta).await?)
    }

    /// Names a sign-in in a session, which gets a new id. The former record is nobody's, wherever a copy of it is left.
    pub(super) async fn name_in(&self, session: &Session, caller: &Caller) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        let serial = tx.renew_sign_in(caller.sign_in).await?.ok_or(AppError::Unauthenticated)?;
        tx.commit().await?;
        self.name_under(session, caller, serial).await
    }

    /// Its cookie stays after the browser is closed where the person wanted to be remembered: a session forgets that from
    /// one request to the next.
    async fn name_under(&self, session: &Session, caller: &Caller, serial: i64) -> Result<(), Fault> {
        session.cycle_id().await.map_err(Fault::internal)?;
        session.insert(SIGN_IN, caller.sign_in).await.map_err(Fault::internal)?;
        session.insert(SERIAL, serial).await.map_err(Fault::internal)?;
        let remembered = caller.idle_seconds == self.lifetimes.remembered;
        session.set_expiry(Some(match remembered {
            true => Expiry::OnInactivity(Duration::seconds(caller.idle_seconds)),
            false => Expiry::OnSessionEnd,
        }));
        session.save().await.map_err(Fault::internal)
    }

    /// Somebody who signs in again leaves no sign-in behind that nobody can end.
    pub(super) async fn end_former(&self, meta: &RequestMeta, session: &Session) -> Result<(), Fault> {
        let former: Option<SignInId> = session.get(SIGN_IN).await.map_err(Fault::internal)?;
        let Some(former) = former else { return Ok(()) };
        let (mut tx, now) = (self.store.write().await?, self.clock.now());
        if let Some(owner) = tx.find_signed_in(former, now).await? {
            tx.end_sign_in(former, now).await?;
            meta.record_own(&mut tx, &self.clock, owner.user.id, AuditAction::SignOut).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Ends a sign-in for good, on every instance, and forgets the session.
    pub async fn sign_out(&self, caller: &Caller, meta: &RequestMeta, session: &Session) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        tx.end_sign_in(caller.sign_in, self.clock.now()).await?;
        meta.record_own(&mut tx, &self.clock, caller.user.id, AuditAction::SignOut).await?;
        tx.commit().await?;
        session.flush().await.map_err(Fault::internal)
    }

    /// Who a session belongs to, if its sign-in holds. Notes its use once a minute, whatever the request does, and writes
    /// that down later: reading waits for no write.
    ///
    /// # Errors
    /// As the database and the session store say.
    pub async fn caller(&self, session: &Session) -> Result<Option<Caller>, Fault> {
        let sign_in: Option<SignInId> = session.get(SIGN_IN).await.map_err(session_fault)?;
        let serial: Option<i64> = session.get(SERIAL).await.map_err(session_fault)?;
        match sign_in {
            Some(sign_in) => self.find_caller(sign_in, Some(serial.unwrap_or_default())).await,
            None => Ok(None),
        }
    }

    /// Who signed in by this sign-in, if it still holds.
    pub async fn caller_of(&self, sign_in: SignInId) -> Result<Option<Caller>, Fault> {
        self.find_caller(sign_in, None).await
    }

    async fn find_caller(&self, sign_in: SignInId, serial: Option<i64>) -> Result<Option<Caller>, Fault> {
        let now = self.clock.now();
        let last_use = self.deferred.last_use(sign_in);
        let found = self.store.read().await?.find_signed_in_used(sign_in, last_use, now).await?;
        let Some(signed_in) = found.filter(|found| serial.is_none_or(|serial| serial == found.serial)) else {
            return Ok(None);
        };
        if last_use.unwrap_or(signed_in.last_used_at).plus_seconds(TOUCH_SECONDS) < now {
            self.deferred.touch(sign_in, signed_in.user.id, now);
        }
        Ok(Some(Caller {
            user: signed_in.user,
            sign_in,
            authenticated_at: signed_in.authenticated_at,
            idle_seconds: signed_in.idle_seconds,
            language: Language::from_tag(&signed_in.language).unwrap_or_default(),
        }))
    }
}

/// How long a sign-in lasts without use and in all, in seconds.
const fn lifetimes(config: &SessionConfig, role: Role, remember: bool) -> (i64, i64) {
    match (remember, role) {
        (true, _) => (config.remembered, config.remembered),
        (false, Role::Member) => (config.idle, config.absolute),
        (false, Role::Administrator) => (config.administrator_idle, config.administrator_absolute),
    }
}

fn session_fault(error: tower_sessions::session::Error) -> Fault {
    tracing::warn!(%error, "the session store does not answer");
    AppError::unavailable(reason!("session_unreadable")).into()
}

fn unverified() -> AppError {
    AppError::conflict(reason!("email_unverified"))
}
