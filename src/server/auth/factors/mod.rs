//! Second factors: what a person shows besides the password.
//!
//! Adding and removing them, and new recovery codes, need fresh authentication: whoever calls these functions has
//! checked it.

mod passkey_sign_in;
mod passkeys;
mod qr;
mod recovery;
mod sign_in;
mod totp;

pub(super) use passkey_sign_in::CEREMONY;
pub(super) use sign_in::PENDING;
pub use sign_in::path_after;
pub(super) use totp::wrong_code;

use std::sync::Arc;

use webauthn_rs::Webauthn;

use super::{Caller, caller::require_signed_in};
use crate::{
    domain::{
        AppError, AuditAction, CurrentUser, Factor, FactorId, FactorKind, Factors as Listed, Role, SignInStep, UserId,
        limits, parse_factor_name,
    },
    server::{
        audit::{Refusal, RequestMeta},
        clock::Clock,
        config::{Config, RequiredOf},
        fault::Fault,
        limits::RateLimits,
        mail::{Notice, Notices},
        secrets::Secrets,
        store::{FactorRow, Owned, Store, Tx},
    },
};

/// The second factors of all people.
#[derive(Debug, Clone)]
pub struct Factors {
    store: Store,
    clock: Clock,
    limits: RateLimits,
    secrets: Secrets,
    required: RequiredOf,
    notices: Notices,
    /// `None` where the installation's address is none that passkeys work with.
    relying_party: Option<Arc<Webauthn>>,
}

/// Lies in the extensions of a request of somebody who must add a second factor before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unenrolled;

impl Factors {
    /// Whether passkeys work on a page that a browser has opened under this host, which may name a port: they belong to
    /// one name, and a page under another one of the same machine cannot use them.
    pub fn has_passkeys_at(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let is_of = |party: &Arc<Webauthn>| {
            let origins = party.get_allowed_origins();
            origins.iter().any(|origin| origin.domain().is_some_and(|domain| domain.eq_ignore_ascii_case(name)))
        };
        self.relying_party.as_ref().is_some_and(is_of)
    }

    /// Factors in this store, with what the configuration says of them.
    pub fn new(store: Store, clock: Clock, secrets: Secrets, config: &Config) -> Self {
        let relying_party = passkeys::relying_party(config);
        let notices = Notices::new(clock.clone(), config.mail.is_some());
        let limits = RateLimits::new(store.clone(), clock.clone());
        Self { store, clock, limits, secrets, required: config.require_second_factor, notices, relying_party }
    }

    /// The caller's confirmed factors.
    pub async fn list(&self, caller: &Caller) -> Result<Listed, Fault> {
        let mut tx = self.store.read().await?;
        let mut owned = tx.owned_by(caller.user.id);
        let factors: Vec<Factor> = owned.list_factors().await?.into_iter().map(shown).collect();
        let recovery_codes = owned.count_recovery_codes().await?;
        let must_enrol = factors.is_empty() && self.is_required_of(&caller.user);
        Ok(Listed { factors, recovery_codes, must_enrol })
    }

    /// Removes a factor; with the last one go the recovery codes.
    ///
    /// # Errors
    /// `NotFound` where the caller has none with this id; `Conflict` where it is the last one and one is required.
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
        meta.record_own_on(&mut tx, &self.clock, caller.user.id, AuditAction::RemoveFactor, &name).await?;
        self.notices.tell(&mut tx, &caller.user.email, Notice::FactorRemoved(&name), meta).await?;
        tx.renew_credentials(caller.user.id, Some(caller.sign_in), self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Gives a factor another name.
    ///
    /// # Errors
    /// `Invalid` on `name`; `NotFound` where the caller has none with this id.
    pub async fn rename(&self, caller: &Caller, factor: FactorId, name: &str, meta: &RequestMeta) -> Result<(), Fault> {
        let name = parse_factor_name(name)?;
        let mut tx = self.store.write().await?;
        if !tx.owned_by(caller.user.id).update_factor_name(factor, &name).await? {
            return Err(AppError::NotFound.into());
        }
        meta.record_own_on(&mut tx, &self.clock, caller.user.id, AuditAction::RenameFactor, &name).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether passkeys can be made and used at this installation's address.
    pub const fn can_use_passkeys(&self) -> bool {
        self.relying_party.is_some()
    }

    /// Whether one of these is a passkey that can be used here.
    pub(super) fn has_passkey(&self, factors: &[Factor]) -> bool {
        self.can_use_passkeys() && factors.iter().any(|factor| factor.kind == FactorKind::Passkey)
    }

    /// Whether this person must have a second factor and has none.
    pub(super) async fn must_enrol(&self, user: &CurrentUser) -> Result<bool, Fault> {
        if !self.is_required_of(user) {
            return Ok(false);
        }
        Ok(self.store.read().await?.owned_by(user.id).list_factors().await?.is_empty())
    }

    /// What must follow the password of this person.
    async fn step_after_password(&self, user: UserId) -> Result<SignInStep, Fault> {
        let factors = self.store.read().await?.owned_by(user).list_factors().await?;
        if factors.is_empty() {
            return Ok(SignInStep::Done);
        }
        let has = |kind| factors.iter().any(|factor| factor.kind() == kind);
        Ok(SignInStep::SecondFactor { totp: has(FactorKind::Totp), passkey: has(FactorKind::Passkey) })
    }

    fn is_required_of(&self, user: &CurrentUser) -> bool {
        match self.required {
            RequiredOf::Nobody => false,
            RequiredOf::Administrators => user.role == Role::Administrator,
            RequiredOf::Everybody => true,
        }
    }
}

impl Factors {
    /// Counts a try to add a factor, and writes it down where it is refused.
    async fn try_to_add<T>(
        &self,
        caller: &Caller,
        detail: &str,
        meta: &RequestMeta,
        added: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let user = caller.user.id;
        self.limits.count_code_of(meta, user).await?;
        let refusal = Refusal { subject: Some(user), action: AuditAction::AddFactor, detail };
        let added = meta.record_if_refused(&self.store, &self.clock, refusal, added.await).await?;
        self.limits.reset_code_of(user).await?;
        Ok(added)
    }

    /// Writes down that a factor was added, and tells the owner.
    async fn note_added(&self, tx: &mut Tx, caller: &Caller, name: &str, meta: &RequestMeta) -> Result<(), Fault> {
        meta.record_own_on(tx, &self.clock, caller.user.id, AuditAction::AddFactor, name).await?;
        Ok(self.notices.tell(tx, &caller.user.email, Notice::FactorAdded(name), meta).await?)
    }
}

/// Refuses one factor too many.
async fn check_count(owned: &mut Owned<'_>) -> Result<(), Fault> {
    if owned.list_factors().await?.len() < limits::FACTORS_PER_USER {
        return Ok(());
    }
    Err(AppError::conflict(reason!("factors_full")).into())
}

fn shown(row: FactorRow) -> Factor {
    Factor { id: row.id, kind: row.kind(), name: row.name, created_at: row.created_at, last_used_at: row.last_used_at }
}
