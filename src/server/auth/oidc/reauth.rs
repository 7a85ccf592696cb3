//! Re-authentication through an identity provider.

use super::{
    Identities,
    error::{ProviderError, SetupError},
    provider::Provider,
    token::IdTokenClaims,
};
use crate::{
    domain::{AppError, AuditAction, Factor, Identity, ReauthMethods, Timestamp},
    server::{
        audit::{RefusedEvent, RequestMeta},
        auth::{Caller, SessionChange},
        fault::Fault,
        store::Tx,
    },
};

/// Allowed clock skew between us and the provider, in seconds.
const MAX_CLOCK_SKEW: i64 = 60;

impl Identities {
    /// The ways in which the caller can re-authenticate. A provider suffices only without a second factor (R04).
    pub async fn reauth_methods(&self, caller: &Caller) -> Result<ReauthMethods, Fault> {
        let mut tx = self.store.read().await?;
        let factors = self.accounts.factors.list_in(&mut tx, caller).await?.factors;
        let linked = self.list_in(&mut tx, caller.user.id).await?;
        self.reauth_methods_in(&mut tx, caller, &factors, &linked).await
    }

    /// Like [`Identities::reauth_methods`], for a page that has read the caller's factors and linked identities.
    pub async fn reauth_methods_in(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        factors: &[Factor],
        linked: &[Identity],
    ) -> Result<ReauthMethods, Fault> {
        let mut methods = self.accounts.reauth_methods_in(tx, caller, factors).await?;
        if !methods.code {
            let is_linked = |issuer: &str| linked.iter().any(|identity| identity.issuer == issuer);
            let providers = self.providers.iter().filter(|provider| is_linked(&provider.config.issuer));
            methods.providers = providers.map(Provider::summary).collect();
        }
        Ok(methods)
    }

    /// Re-authenticates the caller if the provider's claims are theirs and they signed in there since `began`.
    pub(super) async fn reauthenticate(
        &self,
        caller: &Caller,
        (provider, claims, began): (&Provider, &IdTokenClaims, Timestamp),
        meta: &RequestMeta,
    ) -> Result<SessionChange, Fault> {
        let checked = self.check_reauthentication(caller, provider, (claims, began)).await;
        let (action, detail) = (AuditAction::Confirm, provider.config.label.as_str());
        let refusal = RefusedEvent { subject: Some(caller.user.id), action, detail };
        meta.record_if_refused(&self.store, &self.clock, refusal, checked).await?;
        self.accounts.record_reauthentication(caller, meta).await
    }

    /// Refuses claims of another user, and claims without a fresh sign-in at the provider. Otherwise someone who finds
    /// an unlocked device could re-authenticate with last week's provider session.
    async fn check_reauthentication(
        &self,
        caller: &Caller,
        provider: &Provider,
        (claims, began): (&IdTokenClaims, Timestamp),
    ) -> Result<(), Fault> {
        if !self.accounts.factors.list(caller).await?.factors.is_empty() {
            return Err(AppError::conflict(reason!("confirm_by_factor")).into());
        }
        let owner = self.store.read().await?.find_identity(&claims.issuer, &claims.subject).await?;
        if owner.is_none_or(|owner| owner.user_id != caller.user.id) {
            return Err(AppError::invalid("provider", reason!("provider_other_account")).into());
        }
        // A request with `max_age` must be answered with `auth_time` (OpenID Connect Core, section 2).
        let Some(at) = claims.auth_time else {
            return Err(self.report_error(provider, &ProviderError::Setup(SetupError::MissingAuthTime)).await.into());
        };
        let now = self.clock.now();
        if at.plus_seconds(MAX_CLOCK_SKEW) < began || at > now.plus_seconds(MAX_CLOCK_SKEW) {
            let reason = reason!("provider_sign_in_old", provider = provider.config.label);
            return Err(AppError::invalid("provider", reason).into());
        }
        Ok(())
    }
}
