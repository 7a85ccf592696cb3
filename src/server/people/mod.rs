//! Administration of accounts: by administrators, and by the operator on the command line.
//!
//! Every change takes one lock, so changes are serialized on both databases: the actor's role is checked again under
//! the lock, and the last administrator who can sign in stays.

mod audit;
mod change;
mod deletion;
mod factor_removal;
mod invitations;
mod jobs;
mod list;
mod operator;

pub use audit::AuditExport;
pub use factor_removal::RemoveFactors;
pub use invitations::InvitationRequest;

use crate::{
    domain::{AppError, AuditAction, Outcome, UserId},
    server::{
        audit::{AuditEvent, RequestMeta},
        auth::{Accounts, Caller, DeferredEvent},
        clock::Clock,
        config::Config,
        fault::Fault,
        limits::RateLimits,
        mail::{MailContent, Notice, Notifier},
        privacy::Privacy,
        store::{PersonRow, Store, StoreError, Tx},
    },
};

/// Administration of users' accounts.
#[derive(Debug, Clone)]
pub struct Administration {
    store: Store,
    clock: Clock,
    limits: RateLimits,
    notifier: Notifier,
    accounts: Accounts,
    privacy: Privacy,
    /// Seconds before a lost second factor is removed.
    factor_removal_seconds: i64,
    /// Days for which audit entries are kept.
    audit_days: u32,
}

/// The actor of a change, and where the request comes from.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    caller: Option<&'a Caller>,
    meta: &'a RequestMeta,
}

impl<'a> Actor<'a> {
    /// An administrator. Their role is checked with every action.
    pub const fn administrator(caller: &'a Caller, meta: &'a RequestMeta) -> Self {
        Self { caller: Some(caller), meta }
    }

    /// The operator, who has access to the server's files and needs no account.
    pub const fn operator(meta: &'a RequestMeta) -> Self {
        Self { caller: None, meta }
    }

    fn id(&self) -> Option<UserId> {
        self.caller.map(|caller| caller.user.id)
    }

    /// Fails if the actor is not an administrator, by the role loaded with the request.
    fn require_administrator(&self) -> Result<(), AppError> {
        self.caller.map_or(Ok(()), Caller::require_administrator)
    }
}

impl Administration {
    /// Creates the service for these accounts.
    pub fn new(store: Store, clock: Clock, accounts: Accounts, privacy: Privacy, config: &Config) -> Self {
        Self {
            limits: RateLimits::new(store.clone(), clock.clone()),
            notifier: Notifier::new(clock.clone(), config.mail.is_some()),
            factor_removal_seconds: config.factor_removal_wait,
            audit_days: config.audit_days,
            store,
            clock,
            accounts,
            privacy,
        }
    }

    /// Requires the administrator role. Audits the path of a refused request, up to 20 times an hour.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn require_administrator(&self, caller: &Caller, path: &str, meta: &RequestMeta) -> Result<(), Fault> {
        let Err(forbidden) = caller.require_administrator() else { return Ok(()) };
        self.accounts.defer_audit(caller.user.id, DeferredEvent::Forbidden(path.to_owned()), meta).await;
        Err(forbidden.into())
    }

    /// Begins a transaction that only administrators may use. Concurrent changes of accounts wait until it ends.
    async fn begin_change(&self, actor: &Actor<'_>) -> Result<Tx, Fault> {
        actor.require_administrator()?;
        let mut tx = self.store.write().await?;
        tx.admin().lock_administrators().await?;
        // The actor may have been demoted or disabled while this request waited for the lock.
        if let Some(actor) = actor.id()
            && !tx.admin().is_administrator(actor).await?
        {
            return Err(AppError::Forbidden.into());
        }
        // Their sign-in may have been revoked in the meantime.
        if let Some(caller) = actor.caller {
            tx.find_signed_in(caller.sign_in, self.clock.now()).await?.ok_or(AppError::Unauthenticated)?;
        }
        Ok(tx)
    }

    /// Records an audit event for a change of a user's account.
    async fn record_change(
        &self,
        tx: &mut Tx,
        actor: &Actor<'_>,
        subject: UserId,
        action: AuditAction,
        detail: &str,
    ) -> Result<(), StoreError> {
        let event = AuditEvent { actor: actor.id(), subject: Some(subject), action, outcome: Outcome::Done, detail };
        actor.meta.record(tx, &self.clock, &event).await
    }

    /// Notifies a user by mail about a change of their account, if mails are sent.
    async fn notify(&self, tx: &mut Tx, person: &PersonRow, notice: Notice<'_>) -> Result<(), StoreError> {
        let write = |texts| MailContent::administrators_notice(texts, notice, self.clock.now());
        self.notifier.enqueue(tx, &person.summary.email, write).await
    }
}
