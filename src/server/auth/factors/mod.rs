//! Second factors (MFA): authenticator apps, passkeys and recovery codes.
//!
//! Adding and removing factors, and new recovery codes, require recent authentication. The callers of these functions
//! check it.

mod passkey_sign_in;
mod passkeys;
mod qr;
mod recovery;
mod sign_in;
mod totp;

pub use sign_in::redirect_path;
pub(super) use totp::wrong_code;

use std::sync::Arc;

use webauthn_rs::Webauthn;

use super::{Caller, caller::require_signed_in};
use crate::{
    domain::{
        AppError, AuditAction, CurrentUser, Factor, FactorId, FactorKind, Factors as FactorList, Role, SignInStep,
        UserId, limits, parse_factor_name,
    },
    server::{
        audit::{RefusedEvent, RequestMeta},
        clock::Clock,
        config::{Config, SecondFactorRequirement},
        fault::Fault,
        limits::RateLimits,
        mail::{Notice, Notifier},
        secrets::Secrets,
        store::{FactorRow, Owned, Store, Tx},
    },
};

/// The second factors of all users.
#[derive(Debug, Clone)]
pub struct Factors {
    store: Store,
    clock: Clock,
    limits: RateLimits,
    secrets: Secrets,
    required: SecondFactorRequirement,
    notifier: Notifier,
    /// The WebAuthn relying party; `None` if passkeys do not work at the installation's address.
    relying_party: Option<Arc<Webauthn>>,
}

impl Factors {
    /// Whether passkeys work on a page opened under this host, which may include a port. Passkeys are bound to one host
    /// name; a page under another name of the same machine cannot use them.
    pub fn passkeys_available_at(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let is_of = |party: &Arc<Webauthn>| {
            let origins = party.get_allowed_origins();
            origins.iter().any(|origin| origin.domain().is_some_and(|domain| domain.eq_ignore_ascii_case(name)))
        };
        self.relying_party.as_ref().is_some_and(is_of)
    }

    /// Creates the service. The configuration sets who needs a second factor, and the relying party.
    pub fn new(store: Store, clock: Clock, secrets: Secrets, config: &Config) -> Self {
        let relying_party = passkeys::relying_party(config);
        let notifier = Notifier::new(clock.clone(), config.mail.is_some());
        let limits = RateLimits::new(store.clone(), clock.clone());
        Self { store, clock, limits, secrets, required: config.require_second_factor, notifier, relying_party }
    }

    /// The caller's confirmed factors.
    pub async fn list(&self, caller: &Caller) -> Result<FactorList, Fault> {
        self.list_in(&mut self.store.read().await?, caller).await
    }

    /// Like [`Factors::list`], in a unit of work of the page that shows them.
    pub async fn list_in(&self, tx: &mut Tx, caller: &Caller) -> Result<FactorList, Fault> {
        let mut owned = tx.owned_by(caller.user.id);
        let factors: Vec<Factor> = owned.list_factors().await?.into_iter().map(to_factor).collect();
        let recovery_codes = owned.count_recovery_codes().await?;
        let must_enrol = factors.is_empty() && self.is_required_of(&caller.user);
        Ok(FactorList { factors, recovery_codes, must_enrol })
    }

    /// Removes a factor; with the last one, the recovery codes too.
    ///
    /// # Errors
    /// `NotFound` if the caller has no such factor; `Conflict` if it is the last one and one is required.
    pub async fn remove(&self, caller: &Caller, factor: FactorId, meta: &RequestMeta) -> Result<(), Fault> {
        let mut tx = self.store.write().await?;
        require_signed_in(&mut tx, caller, self.clock.now()).await?;
        let mut owned = tx.owned_by(caller.user.id);
        let name = owned.list_factors().await?.into_iter().find(|known| known.id == factor).map(|known| known.name);
        let name = name.ok_or(AppError::NotFound)?;
        if !owned.delete_factor(factor).await? {
            return Err(AppError::NotFound.into());
        }
        if owned.list_factors().await?.is_empty() {
            if self.is_required_of(&caller.user) {
                return Err(AppError::conflict(reason!("factor_required")).into());
            }
            owned.replace_recovery_codes(&[]).await?;
        }
        meta.record_own_with_detail(&mut tx, &self.clock, caller.user.id, AuditAction::RemoveFactor, &name).await?;
        self.notifier.notify(&mut tx, &caller.user.email, Notice::FactorRemoved(&name), meta).await?;
        tx.owned_by(caller.user.id).renew_credentials(Some(caller.sign_in), self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Renames a factor.
    ///
    /// # Errors
    /// `Invalid` on `name`; `NotFound` if the caller has no such factor.
    pub async fn rename(&self, caller: &Caller, factor: FactorId, name: &str, meta: &RequestMeta) -> Result<(), Fault> {
        let name = parse_factor_name(name)?;
        let mut tx = self.store.write().await?;
        if !tx.owned_by(caller.user.id).update_factor_name(factor, &name).await? {
            return Err(AppError::NotFound.into());
        }
        meta.record_own_with_detail(&mut tx, &self.clock, caller.user.id, AuditAction::RenameFactor, &name).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether passkeys work at this installation's address.
    pub const fn can_use_passkeys(&self) -> bool {
        self.relying_party.is_some()
    }

    /// Whether one of the factors is a passkey that can be used here.
    pub(super) fn has_passkey(&self, factors: &[Factor]) -> bool {
        self.can_use_passkeys() && factors.iter().any(|factor| factor.kind == FactorKind::Passkey)
    }

    /// What must follow the user's first factor.
    async fn next_step(&self, user: UserId) -> Result<SignInStep, Fault> {
        let factors = self.store.read().await?.owned_by(user).list_factors().await?;
        if factors.is_empty() {
            return Ok(SignInStep::Done);
        }
        let has = |kind| factors.iter().any(|factor| factor.kind() == kind);
        Ok(SignInStep::SecondFactor { totp: has(FactorKind::Totp), passkey: has(FactorKind::Passkey) })
    }

    /// Whether the user must have a second factor.
    pub(super) fn is_required_of(&self, user: &CurrentUser) -> bool {
        match self.required {
            SecondFactorRequirement::Optional => false,
            SecondFactorRequirement::Administrators => user.role == Role::Administrator,
            SecondFactorRequirement::Everyone => true,
        }
    }
}

impl Factors {
    /// Rate-limits an attempt to add a factor, and audits a refusal.
    async fn attempt_to_add<T>(
        &self,
        caller: &Caller,
        detail: &str,
        meta: &RequestMeta,
        added: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let user = caller.user.id;
        self.limits.count_code_for_user(meta, user).await?;
        let refusal = RefusedEvent { subject: Some(user), action: AuditAction::AddFactor, detail };
        let added = meta.record_if_refused(&self.store, &self.clock, refusal, added.await).await?;
        self.limits.reset_code_for_user(user).await?;
        Ok(added)
    }

    /// Audits an added factor, and notifies the owner.
    async fn record_added(&self, tx: &mut Tx, caller: &Caller, name: &str, meta: &RequestMeta) -> Result<(), Fault> {
        meta.record_own_with_detail(tx, &self.clock, caller.user.id, AuditAction::AddFactor, name).await?;
        Ok(self.notifier.notify(tx, &caller.user.email, Notice::FactorAdded(name), meta).await?)
    }
}

/// Fails if the user has the maximum number of factors.
async fn check_factor_limit(owned: &mut Owned<'_>) -> Result<(), Fault> {
    if owned.list_factors().await?.len() < limits::MAX_FACTORS_PER_USER {
        return Ok(());
    }
    Err(AppError::conflict(reason!("factors_full")).into())
}

fn to_factor(row: FactorRow) -> Factor {
    Factor { id: row.id, kind: row.kind(), name: row.name, created_at: row.created_at, last_used_at: row.last_used_at }
}
