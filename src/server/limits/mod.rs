//! Rate limits. The counters are in the database and shared by all instances.
//!
//! Not `governor`, which counts in one process and forgets at a restart. Here an exceeded limit is an audit event too.

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

/// The counters to reset when a sign-in succeeds: that of the account is cleared, and that of the IP address is reduced
/// by this attempt.
#[derive(Debug)]
pub enum CountedAttempts<'a> {
    /// Nothing was counted.
    Uncounted,
    /// The password attempts for this email address.
    Password(&'a Email),
    /// The second-factor attempts.
    Code,
}

/// The account to name in the audit event for an exceeded limit.
enum Subject<'a> {
    Unknown,
    User(UserId),
    /// The account with this address, if any.
    Owner(&'a Email),
}

impl RateLimits {
    /// Creates rate limits with counters in this store.
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Counts a sign-in attempt, before the password is verified.
    ///
    /// # Errors
    /// `RateLimited`, as for every limit here.
    pub async fn count_sign_in(&self, meta: &RequestMeta, email: &Email) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        let mut result = self.count_address_in(&mut tx, meta, &table::SIGN_IN_ADDRESS).await?;
        // Attempts over the limit of the IP address do not count against the account.
        if result.is_ok() {
            let (key, subject) = (sign_in_key(email), Subject::Owner(email));
            result = self.count_in(&mut tx, meta, subject, &key, &table::SIGN_IN_ACCOUNT).await?;
        }
        tx.commit().await?;
        Ok(result?)
    }

    /// Resets the counters in the transaction of a successful sign-in.
    pub async fn reset_attempts(
        &self,
        tx: &mut Tx,
        meta: &RequestMeta,
        user: UserId,
        counted: &CountedAttempts<'_>,
    ) -> Result<(), StoreError> {
        let (limit, account_key) = match counted {
            CountedAttempts::Uncounted => return Ok(()),
            CountedAttempts::Password(email) => (&table::SIGN_IN_ADDRESS, sign_in_key(email)),
            CountedAttempts::Code => (&table::CODE_ADDRESS, code_key(user)),
        };
        tx.refund_attempt(&address_counter(meta, limit).0).await?;
        tx.reset_attempts(&account_key).await
    }

    /// Resets the counters after a right password, although the sign-in is not complete.
    pub async fn reset_sign_in(&self, meta: &RequestMeta, email: &Email) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        tx.refund_attempt(&address_counter(meta, &table::SIGN_IN_ADDRESS).0).await?;
        tx.reset_attempts(&sign_in_key(email)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Counts a second-factor attempt against the IP address, before the code is checked.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_code(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::CODE_ADDRESS).await
    }

    /// Counts a second-factor attempt against the account, before the code is checked.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_code_for_user(&self, meta: &RequestMeta, user: UserId) -> Result<(), Fault> {
        self.count(meta, Subject::User(user), &code_key(user), &table::CODE_ACCOUNT).await
    }

    /// Resets the counter of the account after a signed-in user has given a right second factor.
    pub async fn reset_code_for_user(&self, user: UserId) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        tx.reset_attempts(&code_key(user)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Counts a passkey ceremony started without a sign-in.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_ceremony(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::CEREMONY_ADDRESS).await
    }

    /// Counts a sign-up attempt.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_sign_up(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::SIGN_UP_ADDRESS).await
    }

    /// Counts a flow with an identity provider, before the redirect.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_provider_flow(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::PROVIDER_ADDRESS).await
    }

    /// Counts the use of a one-time link or the display of an invitation, before the token is checked.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_link(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::LINK_ADDRESS).await
    }

    /// Counts the display of a one-time link that is not an invitation.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_link_check(&self, meta: &RequestMeta) -> Result<(), Fault> {
        self.count_address(meta, &table::LINK_CHECK_ADDRESS).await
    }

    /// Counts a requested mail of this kind, whether or not an account has the address.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_mail(&self, meta: &RequestMeta, kind: &str, email: &Email) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        let result = self.count_mail_in(&mut tx, meta, kind, email).await?;
        tx.commit().await?;
        Ok(result?)
    }

    /// Like [`Self::count_mail`], in the caller's transaction, which must be committed in any case. The inner error is
    /// `RateLimited`.
    pub async fn count_mail_in(
        &self,
        tx: &mut Tx,
        meta: &RequestMeta,
        kind: &str,
        email: &Email,
    ) -> Result<Result<(), AppError>, StoreError> {
        let result = self.count_address_in(tx, meta, &table::MAIL_ADDRESS).await?;
        if result.is_err() {
            return Ok(result);
        }
        self.count_in(tx, meta, Subject::Owner(email), &mail_key(kind, email), &table::MAIL_ACCOUNT).await
    }

    /// Counts a mail of this kind from an authorized user to another address.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_mail_to(&self, meta: &RequestMeta, kind: &str, email: &Email) -> Result<(), Fault> {
        self.count(meta, Subject::Owner(email), &mail_key(kind, email), &table::MAIL_ACCOUNT).await
    }

    /// Counts an export of the user's own data.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn count_export(&self, meta: &RequestMeta, user: UserId) -> Result<(), Fault> {
        let key = format!("{} {user}", table::EXPORT_ACCOUNT.scope);
        self.count(meta, Subject::User(user), &key, &table::EXPORT_ACCOUNT).await
    }

    /// Counts a member's request for something only administrators may do. Returns whether to record it in the audit
    /// log.
    pub async fn should_record_forbidden_access(&self, tx: &mut Tx, user: UserId) -> Result<bool, StoreError> {
        self.should_record(tx, &user.to_string(), &table::FORBIDDEN_ACCOUNT).await
    }

    /// Counts a setup error of an identity provider, by kind. Returns whether to record it in the audit log.
    pub async fn should_record_setup_error(&self, tx: &mut Tx, provider: &str, kind: &str) -> Result<bool, StoreError> {
        self.should_record(tx, &format!("{provider} {kind}"), &table::SETUP_FAULT).await
    }

    async fn should_record(&self, tx: &mut Tx, id: &str, limit: &Limit) -> Result<bool, StoreError> {
        let (attempts, _) =
            tx.count_attempt(&format!("{} {id}", limit.scope), self.clock.now(), limit.window_seconds).await?;
        Ok(attempts <= limit.max_attempts)
    }

    async fn count_address(&self, meta: &RequestMeta, limit: &Limit) -> Result<(), Fault> {
        let (key, limit) = address_counter(meta, limit);
        self.count(meta, Subject::Unknown, &key, &limit).await
    }

    async fn count_address_in(
        &self,
        tx: &mut Tx,
        meta: &RequestMeta,
        limit: &Limit,
    ) -> Result<Result<(), AppError>, StoreError> {
        let (key, limit) = address_counter(meta, limit);
        self.count_in(tx, meta, Subject::Unknown, &key, &limit).await
    }

    async fn count(&self, meta: &RequestMeta, subject: Subject<'_>, key: &str, limit: &Limit) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        let result = self.count_in(&mut tx, meta, subject, key, limit).await?;
        tx.commit().await?;
        Ok(result?)
    }

    /// Counts an attempt and checks the limit. Only the first attempt over the limit is recorded: the others of the
    /// same window add nothing, and an attacker must not be able to flood the audit log.
    async fn count_in(
        &self,
        tx: &mut Tx,
        meta: &RequestMeta,
        subject: Subject<'_>,
        key: &str,
        limit: &Limit,
    ) -> Result<Result<(), AppError>, StoreError> {
        let now = self.clock.now();
        let (attempts, ends_at) = tx.count_attempt(key, now, limit.window_seconds).await?;
        if attempts <= limit.max_attempts {
            return Ok(Ok(()));
        }
        if attempts == limit.max_attempts + 1 {
            let subject = match subject {
                Subject::Unknown => None,
                Subject::User(user) => Some(user),
                Subject::Owner(email) => tx.find_user_by_email(email.key()).await?.map(|user| user.id),
            };
            let (action, outcome, detail) = (AuditAction::Throttle, Outcome::Refused, limit.label);
            meta.record(tx, &self.clock, &AuditEvent { actor: None, subject, action, outcome, detail }).await?;
        }
        let seconds = (ends_at.micros() - now.micros()).div_euclid(1_000_000).max(1);
        Ok(Err(AppError::RateLimited { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) }))
    }
}

/// The key of the counter for a client address, and its limit. Clients that share an address behind a proxy are counted
/// together, with a higher limit that only protects against floods.
fn address_counter(meta: &RequestMeta, limit: &Limit) -> (String, Limit) {
    let key = format!("{} {}", limit.scope, meta.address.rate_limit_key());
    match meta.is_shared_address {
        true => (
            format!("{key} (any)"),
            Limit { max_attempts: limit.max_attempts * table::SHARED_ADDRESS_FACTOR, ..*limit },
        ),
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
