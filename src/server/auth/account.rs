//! Making accounts, signing in and out, and finding out who asks.

use tower_sessions::{Expiry, Session, cookie::time::Duration};

use super::{ClientAddress, Passwords, password::Verified, rule, throttle};
use crate::{
    domain::{AppError, CurrentUser, Email, PasswordRating, Role, SignInId, SignUpPolicy, UserId, limits, parse_name},
    server::{
        clock::Clock,
        config::SessionConfig,
        fault::Fault,
        store::{NewSignIn, NewUser, Store, Tx},
    },
};

/// The key of a session record's only entry.
const SIGN_IN: &str = "sign_in";
/// Seconds after which the use of a sign-in is noted again.
const TOUCH_SECONDS: i64 = 60;

/// The accounts of this installation.
#[derive(Debug, Clone)]
pub struct Accounts {
    store: Store,
    clock: Clock,
    passwords: Passwords,
    lifetimes: SessionConfig,
    open: bool,
}

/// Somebody who is signed in, and asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user: CurrentUser,
    /// By which sign-in.
    pub sign_in: SignInId,
}

/// What a person signs in with, and from where.
#[derive(Debug)]
pub struct Credentials {
    /// The address as typed.
    pub email: String,
    /// The password as typed.
    pub password: String,
    /// Whether to stay signed in after the browser is closed.
    pub remember: bool,
    /// Where from.
    pub address: ClientAddress,
    /// The browser, as it names itself.
    pub user_agent: String,
}

/// An account to be made, which is then signed in.
#[derive(Debug)]
pub struct NewAccount {
    /// The person's name as typed.
    pub name: String,
    /// The rest.
    pub credentials: Credentials,
}

impl Accounts {
    /// Accounts in this store; strangers may join where `open`.
    pub fn new(store: Store, clock: Clock, lifetimes: SessionConfig, open: bool) -> Self {
        Self { store, clock, passwords: Passwords::default(), lifetimes, open }
    }

    /// Whether a stranger can make an account now.
    ///
    /// # Errors
    /// As the database says.
    pub async fn sign_up_policy(&self) -> Result<SignUpPolicy, Fault> {
        let installed = self.store.read().await?.is_installed().await?;
        Ok(match (installed, self.open) {
            (false, _) => SignUpPolicy::First,
            (true, true) => SignUpPolicy::Open,
            (true, false) => SignUpPolicy::Closed,
        })
    }

    /// Rates a password, with the work bounded and off the async threads.
    ///
    /// # Errors
    /// `Invalid` where an input is too long to be looked at.
    pub async fn rate_password(&self, email: String, name: String, password: String) -> Result<PasswordRating, Fault> {
        let too_long = email.len() > limits::EMAIL_BYTES || name.len() > 4 * limits::NAME_CHARS;
        if too_long || password.len() > 4 * limits::PASSWORD_MAX_BYTES {
            return Err(AppError::invalid("password", "Use a shorter password.").into());
        }
        Ok(tokio::task::spawn_blocking(move || rule::rate(&password, &email, &name)).await?)
    }

    /// Makes an account and signs it in. The first one becomes the administrator's; after it strangers may join
    /// only where the configuration opens the door.
    ///
    /// # Errors
    /// `Invalid` with the field, `Forbidden` where the door is closed, `Conflict` where the address is taken,
    /// `RateLimited`.
    pub async fn sign_up(&self, account: NewAccount, session: &Session) -> Result<Caller, Fault> {
        if self.sign_up_policy().await? == SignUpPolicy::Closed {
            return Err(closed().into());
        }
        let NewAccount { name, credentials } = account;
        let email = Email::parse(&credentials.email)?;
        let name = parse_name(&name)?;
        rule::check(&credentials.password, email.given(), &name)?;
        throttle::count_sign_up(&self.store, &self.clock, credentials.address).await?;
        let password_hash = self.passwords.hash(credentials.password.clone()).await?;
        let mut tx = self.store.write().await?;
        let user = self.insert_account(&mut tx, &email, &name, &password_hash, true).await?;
        tx.commit().await?;
        self.begin(user, &credentials, session).await
    }

    /// Writes an account; the caller commits. An empty hash is no password. The first account becomes the
    /// administrator's; others are made where the door is open, and `strangers` may come in this way.
    pub(super) async fn insert_account(
        &self,
        tx: &mut Tx,
        email: &Email,
        name: &str,
        password_hash: &str,
        strangers: bool,
    ) -> Result<CurrentUser, Fault> {
        let (id, now) = (UserId::from_uuid(self.clock.new_id()), self.clock.now());
        let user = NewUser {
            id,
            email: email.given(),
            email_key: email.key(),
            name,
            password_hash,
            role: Role::Member,
            created_at: now,
        };
        match tx.insert_user(&user).await {
            Err(crate::server::store::StoreError::Duplicate) => return Err(taken().into()),
            other => other?,
        }
        let mut role = Role::Member;
        if tx.claim_installation(id, now).await? {
            role = Role::Administrator;
            tx.update_role(id, role).await?;
        } else if !self.open || !strangers {
            return Err(closed().into());
        }
        Ok(CurrentUser { id, name: name.to_owned(), email: email.given().to_owned(), role })
    }

    /// Signs in with an address and a password.
    ///
    /// # Errors
    /// One and the same `Invalid` for an unknown address and a wrong password; `RateLimited`.
    pub async fn sign_in(&self, credentials: Credentials, session: &Session) -> Result<Caller, Fault> {
        let wrong = || AppError::invalid("password", "The e-mail address or the password is not right.");
        let email = Email::parse(&credentials.email)?;
        throttle::count_sign_in(&self.store, &self.clock, credentials.address, &email).await?;
        if credentials.password.is_empty() || credentials.password.len() > limits::PASSWORD_MAX_BYTES {
            return Err(wrong().into());
        }
        let found = self.store.read().await?.find_user_by_email(email.key()).await?;
        let stored = found.as_ref().map(|user| user.password_hash.clone());
        let verified = self.passwords.verify(credentials.password.clone(), stored.clone()).await?;
        let Some(user) = found.filter(|user| verified != Verified::No && user.disabled_at.is_none()) else {
            return Err(wrong().into());
        };
        if let (Verified::Rehashed(new), Some(old)) = (verified, stored) {
            let mut tx = self.store.write().await?;
            tx.update_password_hash(user.id, &old, &new).await?;
            tx.commit().await?;
        }
        throttle::forgive_sign_in(&self.store, credentials.address, &email).await?;
        let person = self.store.read().await?.find_user(user.id).await?.ok_or_else(wrong)?;
        self.begin(person, &credentials, session).await
    }

    /// Writes a sign-in and names it in a session with a new id.
    pub(super) async fn begin(
        &self,
        user: CurrentUser,
        credentials: &Credentials,
        session: &Session,
    ) -> Result<Caller, Fault> {
        let SessionConfig { idle, absolute, remembered } = self.lifetimes;
        let (idle, absolute) = if credentials.remember { (remembered, remembered) } else { (idle, absolute) };
        let (sign_in, now) = (SignInId::from_uuid(self.clock.new_id()), self.clock.now());
        let user_agent: String = credentials.user_agent.chars().filter(|c| !c.is_control()).take(300).collect();
        let mut tx = self.store.write().await?;
        tx.insert_sign_in(&NewSignIn {
            id: sign_in,
            user: user.id,
            created_at: now,
            idle_seconds: idle,
            ends_at: now.plus_seconds(absolute),
            user_agent: &user_agent,
            address: &credentials.address.0.to_string(),
        })
        .await?;
        tx.commit().await?;
        self.end_former(session).await?;
        session.cycle_id().await.map_err(Fault::internal)?;
        session.insert(SIGN_IN, sign_in).await.map_err(Fault::internal)?;
        session.set_expiry(Some(match credentials.remember {
            true => Expiry::OnInactivity(Duration::seconds(absolute)),
            false => Expiry::OnSessionEnd,
        }));
        session.save().await.map_err(Fault::internal)?;
        Ok(Caller { user, sign_in })
    }

    /// Somebody who signs in again leaves no sign-in behind that nobody can end.
    async fn end_former(&self, session: &Session) -> Result<(), Fault> {
        let former: Option<SignInId> = session.get(SIGN_IN).await.map_err(Fault::internal)?;
        let Some(former) = former else { return Ok(()) };
        let mut tx = self.store.write().await?;
        tx.end_sign_in(former, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends a sign-in for good, on every instance, and forgets the session.
    ///
    /// # Errors
    /// As the database says.
    pub async fn sign_out(&self, caller: &Caller, session: &Session) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        tx.end_sign_in(caller.sign_in, self.clock.now()).await?;
        tx.commit().await?;
        session.flush().await.map_err(Fault::internal)
    }

    /// Who a session belongs to, if its sign-in holds. Notes its use once a minute, whatever the request does.
    ///
    /// # Errors
    /// As the database and the session store say.
    pub async fn caller(&self, session: &Session) -> Result<Option<Caller>, Fault> {
        let sign_in: Option<SignInId> = session.get(SIGN_IN).await.map_err(session_fault)?;
        match sign_in {
            Some(sign_in) => self.caller_of(sign_in).await,
            None => Ok(None),
        }
    }

    /// Who signed in by this sign-in, if it still holds.
    ///
    /// # Errors
    /// As the database says.
    pub async fn caller_of(&self, sign_in: SignInId) -> Result<Option<Caller>, Fault> {
        let now = self.clock.now();
        let Some(signed_in) = self.store.read().await?.find_signed_in(sign_in, now).await? else {
            return Ok(None);
        };
        if signed_in.last_used_at.plus_seconds(TOUCH_SECONDS) < now {
            let mut tx = self.store.write().await?;
            tx.touch_sign_in(sign_in, now).await?;
            tx.commit().await?;
        }
        Ok(Some(Caller { user: signed_in.user, sign_in }))
    }
}

fn session_fault(error: tower_sessions::session::Error) -> Fault {
    tracing::warn!(%error, "the session store does not answer");
    AppError::unavailable("Your session cannot be read right now. Please try again in a moment.").into()
}

fn closed() -> AppError {
    AppError::Forbidden
}

fn taken() -> AppError {
    AppError::conflict("An account with this e-mail address exists. Sign in instead.")
}
