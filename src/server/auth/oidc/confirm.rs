//! Proving again who one is by a provider.

use tower_sessions::Session;

use super::{Identities, refused, token::Vouched};
use crate::{
    domain::{AppError, Proof},
    server::{
        auth::{Caller, Origin},
        fault::Fault,
    },
};

/// How long ago somebody may have signed in at the provider, in seconds, where it says when.
const AGE: i64 = 600;

impl Identities {
    /// How the caller can prove again who they are. A provider is enough only where there is no second factor (R04).
    ///
    /// # Errors
    /// As the database says.
    pub async fn proof(&self, caller: &Caller) -> Result<Proof, Fault> {
        let mut proof = self.accounts.own_proof(caller).await?;
        if !proof.code {
            let linked = self.store.read().await?.owned_by(caller.user.id).list_identities().await?;
            let is_linked = |issuer: &str| linked.iter().any(|identity| identity.issuer == issuer);
            let providers = self.providers.iter().filter(|provider| is_linked(&provider.config.issuer));
            proof.providers = providers.map(super::provider::Provider::shown).collect();
        }
        Ok(proof)
    }

    /// Confirms the caller, if it is them for whom a provider vouches.
    pub(super) async fn confirm(
        &self,
        caller: &Caller,
        vouched: &Vouched,
        origin: &Origin,
        session: &Session,
    ) -> Result<(), Fault> {
        if self.accounts.own_proof(caller).await?.code {
            return Err(AppError::conflict("Confirm with your second factor.").into());
        }
        let owner = self.store.read().await?.find_identity(&vouched.issuer, &vouched.subject).await?;
        if owner.is_none_or(|(owner, _)| owner != caller.user.id) {
            let reason = "That is another account there than the one that is linked to yours here.";
            return Err(AppError::invalid("provider", reason).into());
        }
        let now = self.clock.now();
        if vouched.signed_in_at.is_some_and(|at| at.plus_seconds(AGE) < now) {
            return Err(refused().into());
        }
        self.accounts.confirmed(caller, origin, session).await
    }
}
