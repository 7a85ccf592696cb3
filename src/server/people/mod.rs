//! What administrators do with other people's accounts, and the operator at the command line with all of them.
//!
//! Every change is made under one lock, so that changes come one after another on both databases: whoever was an
//! administrator a moment ago is asked again, and the last one who can sign in stays.

mod audit;
mod change;
mod deletion;
mod invitations;
mod jobs;
mod list;
mod operator;
mod removal;

pub use audit::AuditExport;
pub use invitations::InvitationRequest;
pub use removal::RemoveFactors;

use crate::{
    domain::{AppError, AuditAction, Outcome, UserId},
    server::{
        audit::{AuditEvent, RequestMeta},
        auth::{Accounts, Caller, Reading},
        clock::Clock,
        config::Config,
        fault::Fault,
        limits::RateLimits,
        mail::{Letter, Notice, Notices},
        privacy::Privacy,
        store::{PersonRow, Store, StoreError, Tx},
    },
};

/// What administrators and the operator do with the accounts of other people.
#[derive(Debug, Clone)]
pub struct Administration {
    store: Store,
    clock: Clock,
    limits: RateLimits,
    notices: Notices,
    accounts: Accounts,
    privacy: Privacy,
    /// Seconds that pass before a lost second factor is removed.
    factor_removal_seconds: i64,
    /// Days for which the audit is kept.
    audit_days: u32,
}

/// Who does something with somebody's account, and from where.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    caller: Option<&'a Caller>,
    meta: &'a RequestMeta,
}

impl<'a> Actor<'a> {
    /// An administrator; whether they are one is asked with every act.
    pub const fn administrator(caller: &'a Caller, meta: &'a RequestMeta) -> Self {
        Self { caller: Some(caller), meta }
    }

    /// The operator, who has the server's files and therefore needs no account.
    pub const fn operator(meta: &'a RequestMeta) -> Self {
        Self { caller: None, meta }
    }

    fn id(&self) -> Option<UserId> {
        self.caller.map(|caller| caller.user.id)
    }

    /// Refuses who is no administrator, as far as the request says.
    fn check(&self) -> Result<(), AppError> {
        self.caller.map_or(Ok(()), Caller::require_administrator)
    }
}

impl Administration {
    /// The administration of these accounts.
    pub fn new(store: Store, clock: Clock, accounts: Accounts, privacy: Privacy, config: &Config) -> Self {
        Self {
            limits: RateLimits::new(store.clone(), clock.clone()),
            notices: Notices::new(clock.clone(), config.mail.is_some()),
            factor_removal_seconds: config.factor_removal_wait,
            audit_days: config.audit_days,
            store,
            clock,
            accounts,
            privacy,
        }
    }

    /// Refuses who is no administrator, and records that they tried it, and where: up to 20 times an hour.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn require_administrator(&self, caller: &Caller, path: &str, meta: &RequestMeta) -> Result<(), Fault> {
        let Err(forbidden) = caller.require_administrator() else { return Ok(()) };
        self.accounts.defer_audit(caller.user.id, Reading::Forbidden(path.to_owned()), meta).await;
        Err(forbidden.into())
    }

    /// Begins what only administrators may do. Other changes of accounts wait until it is over.
    async fn begin_change(&self, by: &Actor<'_>) -> Result<Tx, Fault> {
        by.check()?;
        let mut tx = self.store.write().await?;
        tx.lock_administrators().await?;
        // Somebody else may have demoted or disabled them while this request waited.
        if let Some(actor) = by.id()
            && !tx.is_administrator(actor).await?
        {
            return Err(AppError::Forbidden.into());
        }
        // Nor may they act by a sign-in that was ended in the meantime.
        if let Some(caller) = by.caller {
            tx.find_signed_in(caller.sign_in, self.clock.now()).await?.ok_or(AppError::Unauthenticated)?;
        }
        Ok(tx)
    }

    /// Records what was done with whom.
    async fn record_change(
        &self,
        tx: &mut Tx,
        by: &Actor<'_>,
        subject: UserId,
        action: AuditAction,
        detail: &str,
    ) -> Result<(), StoreError> {
        let event = AuditEvent { actor: by.id(), subject: Some(subject), action, outcome: Outcome::Done, detail };
        by.meta.record(tx, &self.clock, &event).await
    }

    /// Tells a person what was done with their account, where mails are sent.
    async fn notify(&self, tx: &mut Tx, person: &PersonRow, notice: Notice<'_>) -> Result<(), StoreError> {
        let write = |texts| Letter::administrators_notice(texts, notice, self.clock.now());
        self.notices.post(tx, &person.summary.email, write).await
    }
}
