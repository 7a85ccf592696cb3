//! Rate limits: how often somebody may try. Counted in the database, so that all instances count together.

mod table;

use table::Limit;

use crate::{
    domain::{AppError, AuditAction, Email, Outcome, UserId},
    server::{
        audit::{AuditEvent, RequestMeta},
        clock::Clock,
        fault::Fault,
        store::{Store, StoreError, Tx},
    },
};

/// The rate limits of this installation.
#[derive(Debug, Clone)]
pub struct RateLimits {
    store: Store,
    clock: Clock,
}

/// Tries that are given back when somebody signs in: the account starts anew, and the address gets this one try back.
#[derive(Debug)]
pub enum Tries<'a> {
    /// None were counted.
    Uncounted,
    /// Those of the password of the account with this address.
    Password(&'a Email),
    /// Those of the second factor.
    Code,
}

/// Whose account the audit names where there are too many tries.
enum Subject<'a> {
    Nobody,
    User(UserId),
    /// Whoever has this address, if anybody does.
    Owner(&'a Email),
}

impl RateLimits {
    /// Limits that are counted in this store.
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Counts a try to sign in, before the password is looked at.
    ///
    /// # Errors
    /// `RateLimited`, as for all that counts here.
    pub async fn count_sign_in(&self, meta: &RequestMeta, email: &Email) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        let mut over = self.count_address_in(&mut tx, meta, &table::SIGN_IN_ADDRESS).await?;
        // Tries that the address has no right to do not count against the account.
        if over.is_ok() {
            let (key, subject) = (sign_in_key(email), Subject::Owner(email));
            over = self.count_in(&mut tx, meta, subject, &key, &table::SIGN_IN_ACCOUNT).await?;
        }
        tx.commit().await?;
        Ok(over?)
    }

    /// Gives tries back in the transaction that lets somebody in.
    pub async fn reset(
        &self,
        tx: &mut Tx,
        meta: &RequestMeta,
        user: UserId,
        tries: &Tries<'_>,
    ) -> Result<(), StoreError> {
        let (limit, by_account) = match tries {
            Tries::Uncounted => return Ok(()),
            Tries::Password(email) => (&table::SIGN_IN_ADDRESS, sign_in_key(email)),
            Tries::Code => (&table::CODE_ADDRESS, code_key(user)),
        };
        tx.return_try(&by_address(meta, limit).0).await?;
        tx.delete_tries(&by_account).await
    }

    /// The password was right, although nobody is let in by it yet.
    pub async fn reset_sign_in(&self, meta: &RequestMeta, email: &Email) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        tx.return_try(&by_address(meta, &table::SIGN_IN_ADDRESS).0).await?;
        tx.delete_tries(&sign_in_key(email)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Counts a try of a second factor against the address, before anything is looked at.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_code(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::CODE_ADDRESS).await
    }

    /// Counts a try of a second factor against the account, before it is looked at.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_code_of(&self, meta: &RequestMeta, user: UserId) -> Result<(), Fault> {
        self.count(meta, Subject::User(user), &code_key(user), &table::CODE_ACCOUNT).await
    }

    /// The second factor of somebody who is signed in was right: the account starts anew.
    pub async fn reset_code_of(&self, user: UserId) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        tx.delete_tries(&code_key(user)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Counts a passkey ceremony that a stranger begins.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_ceremony(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::CEREMONY_ADDRESS).await
    }

    /// Counts a try to sign up.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_sign_up(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::SIGN_UP_ADDRESS).await
    }

    /// Counts a sign-in by an identity provider, before anybody is sent there.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_provider_flow(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::PROVIDER_ADDRESS).await
    }

    /// Counts that a one-time link is followed, or an invitation shown, before it is looked at.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_link(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::LINK_ADDRESS).await
    }

    /// Counts that a mail of this kind was asked for, whether or not anybody has the address.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_mail(&self, meta: &RequestMeta, kind: &str, email: &Email) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        let over = self.count_mail_in(&mut tx, meta, kind, email).await?;
        tx.commit().await?;
        Ok(over?)
    }

    /// The same in the transaction of the caller, who commits in any case. Inside is `RateLimited`.
    pub async fn count_mail_in(
        &self,
        tx: &mut Tx,
        meta: &RequestMeta,
        kind: &str,
        email: &Email,
    ) -> Result<Result<(), AppError>, StoreError> {
        let over = self.count_address_in(tx, meta, &table::MAIL_ADDRESS).await?;
        if over.is_err() {
            return Ok(over);
        }
        self.count_in(tx, meta, Subject::Owner(email), &mail_key(kind, email), &table::MAIL_ACCOUNT).await
    }

    /// Counts a mail of this kind that somebody who may do so has sent to somebody else.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_mail_to(&self, meta: &RequestMeta, kind: &str, email: &Email) -> Result<(), Fault> {
        self.count(meta, Subject::Owner(email), &mail_key(kind, email), &table::MAIL_ACCOUNT).await
    }

    /// Counts a download of one's own data.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_export(&self, meta: &RequestMeta, user: UserId) -> Result<(), Fault> {
        let key = format!("{} {user}", table::EXPORT_ACCOUNT.scope);
        self.count(meta, Subject::User(user), &key, &table::EXPORT_ACCOUNT).await
    }

    /// Counts that a member tried what only administrators may do. Says whether that is to be recorded.
    pub async fn is_forbidden_access_recorded(&self, tx: &mut Tx, user: UserId) -> Result<bool, StoreError> {
        self.is_recorded(tx, &user.to_string(), &table::FORBIDDEN_ACCOUNT).await
    }

    /// Counts that a provider was found to be set up wrongly in this way. Says whether that is to be recorded.
    pub async fn is_setup_fault_recorded(&self, tx: &mut Tx, provider: &str, kind: &str) -> Result<bool, StoreError> {
        self.is_recorded(tx, &format!("{provider} {kind}"), &table::SETUP_FAULT).await
    }

    async fn is_recorded(&self, tx: &mut Tx, of: &str, limit: &Limit) -> Result<bool, StoreError> {
        let (tries, _) = tx.count_try(&format!("{} {of}", limit.scope), self.clock.now(), limit.seconds).await?;
        Ok(tries <= limit.tries)
    }

    async fn count_address(&self, meta: &RequestMeta, limit: &Limit) -> Result<(), Fault> {
        let (key, limit) = by_address(meta, limit);
        self.count(meta, Subject::Nobody, &key, &limit).await
    }

    async fn count_address_in(
        &self,
        tx: &mut Tx,
        meta: &RequestMeta,
        limit: &Limit,
    ) -> Result<Result<(), AppError>, StoreError> {
        let (key, limit) = by_address(meta, limit);
        self.count_in(tx, meta, Subject::Nobody, &key, &limit).await
    }

    async fn count(&self, meta: &RequestMeta, subject: Subject<'_>, key: &str, limit: &Limit) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        let over = self.count_in(&mut tx, meta, subject, key, limit).await?;
        tx.commit().await?;
        Ok(over?)
    }

    /// Counts a try and says whether it is one too many. The first such one is recorded: the others of the same span would
    /// say nothing new, and whoever tries must not fill the audit.
    async fn count_in(
        &self,
        tx: &mut Tx,
        meta: &RequestMeta,
        subject: Subject<'_>,
        key: &str,
        limit: &Limit,
    ) -> Result<Result<(), AppError>, StoreError> {
        let now = self.clock.now();
        let (tries, ends_at) = tx.count_try(key, now, limit.seconds).await?;
        if tries <= limit.tries {
            return Ok(Ok(()));
        }
        if tries == limit.tries + 1 {
            let subject = match subject {
                Subject::Nobody => None,
                Subject::User(user) => Some(user),
                Subject::Owner(email) => tx.find_user_by_email(email.key()).await?.map(|user| user.id),
            };
            let (action, outcome, detail) = (AuditAction::Throttle, Outcome::Refused, limit.what);
            meta.record(tx, &self.clock, &AuditEvent { actor: None, subject, action, outcome, detail }).await?;
        }
        let seconds = (ends_at.micros() - now.micros()).div_euclid(1_000_000).max(1);
        Ok(Err(AppError::RateLimited { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) }))
    }
}

/// The key of what is counted for an address, and its limit. Where it is not known which machine it is, all such machines
/// are counted together, and the limit is only there against floods.
fn by_address(meta: &RequestMeta, limit: &Limit) -> (String, Limit) {
    let key = format!("{} {}", limit.scope, meta.address.rate_limit_key());
    match meta.is_hidden {
        true => (format!("{key} (any)"), Limit { tries: limit.tries * table::HIDDEN_FACTOR, ..*limit }),
        false => (key, *limit),
    }
}

fn sign_in_key(email: &Email) -> String {
    format!("{} {}", table::SIGN_IN_ACCOUNT.scope, email.key())
}

fn code_key(user: UserId) -> String {
    format!("{} {user}", table::CODE_ACCOUNT.scope)
}

fn mail_key(kind: &str, email: &Email) -> String {
    format!("{} {kind} {}", table::MAIL_ACCOUNT.scope, email.key())
}
