//! Identities at providers: signing in with them, signing up, linking and unlinking.

use super::{Identities, error::refused, provider::Provider, token::IdTokenClaims};
use crate::{
    domain::{AppError, AuditAction, CurrentUser, Identity, Outcome, SignInStep, Timestamp, UserId},
    server::{
        audit::{AuditEvent, RefusedEvent, RequestMeta},
        auth::{
            Admission, Caller, SessionChange, SessionState, caller::require_signed_in, sign_in_attempt::SignInAttempt,
        },
        fault::Fault,
        limits::CountedAttempts,
        mail::Notice,
        store::{CredentialsVersion, IdentityOwner, LinkPurpose, NewIdentity, StoreError, TokenHash, Tx},
    },
};

/// The method of address verification, for the audit log.
const VERIFIED_BY_PROVIDER: &str = "by a provider";

/// Only the owner of the address sees this error: the provider has verified it.
fn email_taken() -> AppError {
    AppError::conflict(reason!("identity_email_taken"))
}

fn identity_taken() -> AppError {
    AppError::conflict(reason!("identity_taken"))
}

impl Identities {
    /// Signs in the user with this identity. Creates an account if there is none and sign-up is allowed.
    pub(super) async fn sign_in(
        &self,
        (claims, began): (IdTokenClaims, Timestamp),
        provider: &Provider,
        invitation: Option<TokenHash>,
        meta: &RequestMeta,
        session: &SessionState,
    ) -> Result<(SignInStep, SessionChange), Fault> {
        let label = provider.config.label.as_str();
        let found = self.store.read().await?.find_identity(&claims.issuer, &claims.subject).await?;
        let (user, credentials) = match found {
            Some(owner) => {
                (self.sign_in_linked_user((&owner, began), label, &claims, meta).await?, owner.credentials_version)
            }
            None => {
                let signed_up = self.sign_up(claims, provider, invitation, meta).await;
                let refusal = RefusedEvent { subject: None, action: AuditAction::SignUp, detail: label };
                let signed_up = meta.record_if_refused(&self.store, &self.clock, refusal, signed_up).await?;
                (signed_up, CredentialsVersion::FIRST)
            }
        };
        let attempt = SignInAttempt {
            remember: false,
            meta,
            method: label,
            credentials,
            refusal: refused(),
            counted: CountedAttempts::Uncounted,
        };
        self.accounts.complete_first_factor(user, &attempt, session).await
    }

    async fn sign_in_linked_user(
        &self,
        (owner, began): (&IdentityOwner, Timestamp),
        label: &str,
        claims: &IdTokenClaims,
        meta: &RequestMeta,
    ) -> Result<CurrentUser, Fault> {
        let user = owner.user_id;
        // What revokes sign-ins also cancels flows that have not finished.
        let is_current = owner.credentials_version.was_in_force_at(began, self.clock.now());
        if owner.disabled_at.is_some() || !is_current {
            let refusal = RefusedEvent { subject: Some(user), action: AuditAction::SignIn, detail: label };
            return meta.record_if_refused(&self.store, &self.clock, refusal, Err(refused().into())).await;
        }
        let (mut tx, now) = (self.store.write().await?, self.clock.now());
        let address = tx.owned_by(user).find_address_state().await?;
        // An address that the provider has verified counts as verified here, if it is the account's address.
        if address.is_some_and(|address| address.email_verified_at.is_none())
            && tx.owned_by(user).verify_address(&claims.email, now).await?
        {
            meta.record_own_with_detail(&mut tx, &self.clock, user, AuditAction::VerifyAddress, VERIFIED_BY_PROVIDER)
                .await?;
            tx.owned_by(user).delete_links(LinkPurpose::VerifyAddress).await?;
        }
        // Lock order: the account before its identities.
        tx.touch_identity(&claims.issuer, &claims.subject, now).await?;
        let person = tx.owned_by(user).find_user().await?;
        tx.commit().await?;
        Ok(person.ok_or_else(refused)?)
    }

    /// Creates an account without a password. Never signs in to an existing account with the same address: its present
    /// owner may not be the one who created the account. An account whose address was never verified could not be used
    /// by anyone; it is deleted to free the address, because its creator did not prove to own the address and this user
    /// did.
    async fn sign_up(
        &self,
        claims: IdTokenClaims,
        provider: &Provider,
        invitation: Option<TokenHash>,
        meta: &RequestMeta,
    ) -> Result<CurrentUser, Fault> {
        let known = self.store.read().await?.find_user_by_email(claims.email.key()).await?;
        if known.as_ref().is_some_and(|known| !known.must_verify) {
            return Err(email_taken().into());
        }
        let admission = match self.accounts.check_admission(&claims.email, invitation).await? {
            Admission::Open | Admission::OnceVerified if !provider.config.sign_up => {
                return Err(AppError::Forbidden.into());
            }
            // The provider has verified the address.
            Admission::OnceVerified => Admission::Open,
            other => other,
        };
        self.limits.count_sign_up(meta).await?;
        let mut tx = self.store.write().await?;
        if let Some(known) = known {
            tx.admin().lock_administrators().await?;
            if !tx.owned_by(known.id).delete_unverified().await? {
                return Err(email_taken().into());
            }
            let (subject, action, outcome) = (Some(known.id), AuditAction::MakeRoom, Outcome::Done);
            let event = AuditEvent { actor: None, subject, action, outcome, detail: "" };
            meta.record(&mut tx, &self.clock, &event).await?;
        }
        let (email, name) = (&claims.email, claims.name.as_str());
        let (user, _) =
            self.accounts.insert_account(&mut tx, email, name, "", &admission, (meta, &provider.config.label)).await?;
        self.insert_identity(&mut tx, user.id, &claims).await?;
        if tx.owned_by(user.id).verify_address(email, self.clock.now()).await? {
            meta.record_own_with_detail(
                &mut tx,
                &self.clock,
                user.id,
                AuditAction::VerifyAddress,
                VERIFIED_BY_PROVIDER,
            )
            .await?;
        }
        tx.commit().await?;
        Ok(user)
    }

    /// Links an identity to the caller's account. Linking it again only updates its last use.
    pub(super) async fn link(
        &self,
        caller: &Caller,
        label: &str,
        claims: &IdTokenClaims,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        let linked = self.link_identity(caller, label, claims, meta).await;
        let refusal = RefusedEvent { subject: Some(caller.user.id), action: AuditAction::LinkIdentity, detail: label };
        meta.record_if_refused(&self.store, &self.clock, refusal, linked).await
    }

    async fn link_identity(
        &self,
        caller: &Caller,
        label: &str,
        claims: &IdTokenClaims,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        let user = caller.user.id;
        let mut tx = self.store.write().await?;
        require_signed_in(&mut tx, caller, self.clock.now()).await?;
        match tx.find_identity(&claims.issuer, &claims.subject).await? {
            Some(owner) if owner.user_id == user => {
                tx.touch_identity(&claims.issuer, &claims.subject, self.clock.now()).await?;
            }
            Some(_) => return Err(identity_taken().into()),
            None => {
                self.insert_identity(&mut tx, user, claims).await?;
                meta.record_own_with_detail(&mut tx, &self.clock, user, AuditAction::LinkIdentity, label).await?;
                self.accounts.notify(&mut tx, &caller.user.email, Notice::ProviderLinked(label), meta).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    async fn insert_identity(&self, tx: &mut Tx, user: UserId, claims: &IdTokenClaims) -> Result<(), Fault> {
        let IdTokenClaims { issuer, subject, email, .. } = claims;
        let identity = NewIdentity { issuer, subject, email: email.as_entered(), created_at: self.clock.now() };
        match tx.owned_by(user).insert_identity(&identity).await {
            Err(StoreError::Duplicate) => Err(identity_taken().into()),
            other => Ok(other?),
        }
    }

    /// The identities of a user, oldest link first.
    pub async fn list(&self, user: UserId) -> Result<Vec<Identity>, Fault> {
        self.list_in(&mut self.store.read().await?, user).await
    }

    /// Like [`Identities::list`], in a unit of work of the page that shows them.
    pub async fn list_in(&self, tx: &mut Tx, user: UserId) -> Result<Vec<Identity>, Fault> {
        let rows = tx.owned_by(user).list_identities().await?;
        let label = |issuer: &str| {
            let found = self.providers.iter().find(|provider| provider.config.issuer == issuer);
            found.map_or_else(|| issuer.to_owned(), |provider| provider.config.label.clone())
        };
        let identities = rows.into_iter().map(|row| Identity {
            label: label(&row.issuer),
            issuer: row.issuer,
            subject: row.subject,
            email: row.email,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        });
        Ok(identities.collect())
    }

    /// Unlinks an identity of the caller, and revokes all their other sign-ins.
    ///
    /// # Errors
    /// `NotFound` if the caller has no such identity; `Conflict` if no sign-in method would be left.
    pub async fn unlink(&self, caller: &Caller, issuer: &str, subject: &str, meta: &RequestMeta) -> Result<(), Fault> {
        self.accounts.require_recent_authentication(caller)?;
        let mut tx = self.store.write().await?;
        let mut own = tx.owned_by(caller.user.id);
        let has_password = own.lock_password().await?;
        if !own.delete_identity(issuer, subject).await? {
            return Err(AppError::NotFound.into());
        }
        // An identity at a provider that is no longer configured cannot be used to sign in.
        let is_configured = |issuer: &str| self.providers.iter().any(|provider| provider.config.issuer == issuer);
        let others = own.list_identities().await?;
        if !has_password && !others.iter().any(|other| is_configured(&other.issuer)) {
            return Err(AppError::conflict(reason!("identity_needed")).into());
        }
        let known = self.providers.iter().find(|provider| provider.config.issuer == issuer);
        let label = known.map_or(issuer, |provider| provider.config.label.as_str());
        meta.record_own_with_detail(&mut tx, &self.clock, caller.user.id, AuditAction::UnlinkIdentity, label).await?;
        tx.owned_by(caller.user.id).renew_credentials(Some(caller.sign_in), self.clock.now()).await?;
        self.accounts.notify(&mut tx, &caller.user.email, Notice::ProviderUnlinked(label), meta).await?;
        tx.commit().await?;
        Ok(())
    }
}
