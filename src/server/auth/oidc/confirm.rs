//! Proving again who one is by a provider.

use tower_sessions::Session;

use super::{Identities, refused, token::Vouched};
use crate::{
    domain::{AppError, AuditAction, Proof},
    server::{
        auth::{Caller, Origin, origin::Refusal},
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
        (label, vouched): (&str, &Vouched),
        origin: &Origin,
        session: &Session,
    ) -> Result<(), Fault> {
        let checked = self.check_same(caller, vouched).await;
        let refusal = Refusal { subject: Some(caller.user.id), action: AuditAction::Confirm, detail: label };
        origin.note_if_refused(&self.store, &self.clock, refusal, checked).await?;
        self.accounts.confirmed(caller, origin, session).await
    }

    /// Refuses anybody but the caller, and one who has signed in at the provider too long ago.
    async fn check_same(&self, caller: &Caller, vouched: &Vouched) -> Result<(), Fault> {
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
        Ok(())
    }
}
