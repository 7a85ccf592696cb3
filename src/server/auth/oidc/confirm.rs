//! Proving again who one is by a provider.

use tower_sessions::Session;

use super::{
    Identities,
    fault::{ProviderError, Setup},
    provider::Provider,
    token::IdTokenClaims,
};
use crate::{
    domain::{AppError, AuditAction, Proof, Timestamp},
    server::{
        audit::{Refusal, RequestMeta},
        auth::Caller,
        fault::Fault,
    },
};

/// By how much the provider's clock may differ from ours, in seconds.
const LEEWAY: i64 = 60;

impl Identities {
    /// How the caller can prove again who they are. A provider is enough only where there is no second factor (R04).
    pub async fn proof(&self, caller: &Caller) -> Result<Proof, Fault> {
        let mut proof = self.accounts.own_proof(caller).await?;
        if !proof.code {
            let linked = self.store.read().await?.owned_by(caller.user.id).list_identities().await?;
            let is_linked = |issuer: &str| linked.iter().any(|identity| identity.issuer == issuer);
            let providers = self.providers.iter().filter(|provider| is_linked(&provider.config.issuer));
            proof.providers = providers.map(Provider::shown).collect();
        }
        Ok(proof)
    }

    /// Confirms the caller, if it is them for whom a provider vouches, since they were sent there at `began`.
    pub(super) async fn confirm(
        &self,
        caller: &Caller,
        (provider, claims, began): (&Provider, &IdTokenClaims, Timestamp),
        meta: &RequestMeta,
        session: &Session,
    ) -> Result<(), Fault> {
        let checked = self.check_same(caller, provider, (claims, began)).await;
        let (action, detail) = (AuditAction::Confirm, provider.config.label.as_str());
        let refusal = Refusal { subject: Some(caller.user.id), action, detail };
        meta.record_if_refused(&self.store, &self.clock, refusal, checked).await?;
        self.accounts.confirmed(caller, meta, session).await
    }

    /// Refuses anybody but the caller, and one who has not shown to have signed in at the provider just now: whoever finds an
    /// unlocked device would be confirmed by a sign-in of last week.
    async fn check_same(
        &self,
        caller: &Caller,
        provider: &Provider,
        (claims, began): (&IdTokenClaims, Timestamp),
    ) -> Result<(), Fault> {
        if self.accounts.own_proof(caller).await?.code {
            return Err(AppError::conflict(reason!("confirm_by_factor")).into());
        }
        let owner = self.store.read().await?.find_identity(&claims.issuer, &claims.subject).await?;
        if owner.is_none_or(|owner| owner.user_id != caller.user.id) {
            return Err(AppError::invalid("provider", reason!("provider_other_account")).into());
        }
        // Whoever is asked with `max_age` must say it (OpenID Connect Core, section 2).
        let Some(at) = claims.signed_in_at else {
            return Err(self.told(provider, &ProviderError::Setup(Setup::NoAuthTime)).await.into());
        };
        let now = self.clock.now();
        if at.plus_seconds(LEEWAY) < began || at > now.plus_seconds(LEEWAY) {
            let reason = reason!("provider_sign_in_old", provider = provider.config.label);
            return Err(AppError::invalid("provider", reason).into());
        }
        Ok(())
    }
}
