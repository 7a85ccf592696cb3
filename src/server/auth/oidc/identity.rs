//! Whose account an identity is: coming in by it, linking and unlinking it.

use tower_sessions::Session;

use super::{Identities, fault::refused, provider::Provider, token::IdTokenClaims};
use crate::{
    domain::{AppError, AuditAction, CurrentUser, Identity, Outcome, SignInStep, Timestamp, UserId},
    server::{
        audit::{AuditEvent, Refusal, RequestMeta},
        auth::{Admission, Caller, caller::require_signed_in, entry::Entry},
        fault::Fault,
        limits::Tries,
        mail::Notice,
        store::{CredentialsVersion, IdentityOwner, LinkPurpose, NewIdentity, StoreError, TokenHash, Tx},
    },
};

/// How an address was shown to be its owner's.
const BY_PROVIDER: &str = "by a provider";

/// Tells only those who own the address: the provider has verified it.
fn known_address() -> AppError {
    AppError::conflict(reason!("identity_email_taken"))
}

fn somebody_elses() -> AppError {
    AppError::conflict(reason!("identity_taken"))
}

impl Identities {
    /// Signs in whom a provider vouches for; makes the account where there is none and one may be made.
    pub(super) async fn sign_in(
        &self,
        (claims, began): (IdTokenClaims, Timestamp),
        provider: &Provider,
        invitation: Option<TokenHash>,
        meta: &RequestMeta,
        session: &Session,
    ) -> Result<SignInStep, Fault> {
        let label = provider.config.label.as_str();
        let found = self.store.read().await?.find_identity(&claims.issuer, &claims.subject).await?;
        let (user, credentials) = match found {
            Some(owner) => (self.come_in((&owner, began), label, &claims, meta).await?, owner.credentials_version),
            None => {
                let joined = self.join(claims, provider, invitation, meta).await;
                let refusal = Refusal { subject: None, action: AuditAction::SignUp, detail: label };
                let joined = meta.record_if_refused(&self.store, &self.clock, refusal, joined).await?;
                (joined, CredentialsVersion::FIRST)
            }
        };
        let entry =
            Entry { remember: false, meta, by: label, credentials, refusal: refused(), tries: Tries::Uncounted };
        self.accounts.enter(user, &entry, session).await
    }

    async fn come_in(
        &self,
        (owner, began): (&IdentityOwner, Timestamp),
        label: &str,
        claims: &IdTokenClaims,
        meta: &RequestMeta,
    ) -> Result<CurrentUser, Fault> {
        let user = owner.user_id;
        // What ends sign-ins ends those that are on their way too.
        let counts = owner.credentials_version.was_in_force_at(began, self.clock.now());
        if owner.disabled_at.is_some() || !counts {
            let refusal = Refusal { subject: Some(user), action: AuditAction::SignIn, detail: label };
            return meta.record_if_refused(&self.store, &self.clock, refusal, Err(refused().into())).await;
        }
        let (mut tx, now) = (self.store.write().await?, self.clock.now());
        let address = tx.find_address_state(user).await?;
        // What the provider has verified need not be verified here too, where the account has that address.
        if address.is_some_and(|address| address.email_verified_at.is_none())
            && tx.verify_address(user, &claims.email, now).await?
        {
            meta.record_own_on(&mut tx, &self.clock, user, AuditAction::VerifyAddress, BY_PROVIDER).await?;
            tx.delete_links(user, LinkPurpose::VerifyAddress).await?;
        }
        // The account before its identities, as everywhere.
        tx.touch_identity(&claims.issuer, &claims.subject, now).await?;
        let person = tx.find_user(user).await?;
        tx.commit().await?;
        Ok(person.ok_or_else(refused)?)
    }

    /// Makes an account without a password. One with this address is never joined: who owns the address now need
    /// not be who made the account. One that nobody ever could use, because its address was never verified, makes
    /// room with all that belongs to it: whoever made it has not shown that the address is theirs, and this person has.
    async fn join(
        &self,
        claims: IdTokenClaims,
        provider: &Provider,
        invitation: Option<TokenHash>,
        meta: &RequestMeta,
    ) -> Result<CurrentUser, Fault> {
        let known = self.store.read().await?.find_user_by_email(claims.email.key()).await?;
        if known.as_ref().is_some_and(|known| !known.must_verify) {
            return Err(known_address().into());
        }
        let admission = match self.accounts.admit(&claims.email, invitation).await? {
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
            tx.lock_administrators().await?;
            if !tx.delete_unverified(known.id).await? {
                return Err(known_address().into());
            }
            let (subject, action, outcome) = (Some(known.id), AuditAction::MakeRoom, Outcome::Done);
            let event = AuditEvent { actor: None, subject, action, outcome, detail: "" };
            meta.record(&mut tx, &self.clock, &event).await?;
        }
        let (email, name) = (&claims.email, claims.name.as_str());
        let (user, _) =
            self.accounts.insert_account(&mut tx, email, name, "", &admission, (meta, &provider.config.label)).await?;
        self.insert(&mut tx, user.id, &claims).await?;
        if tx.verify_address(user.id, email, self.clock.now()).await? {
            meta.record_own_on(&mut tx, &self.clock, user.id, AuditAction::VerifyAddress, BY_PROVIDER).await?;
        }
        tx.commit().await?;
        Ok(user)
    }

    /// Links an identity to an account. Linking again what is linked already only notes its use.
    pub(super) async fn link(
        &self,
        caller: &Caller,
        label: &str,
        claims: &IdTokenClaims,
        meta: &RequestMeta,
    ) -> Result<(), Fault> {
        let linked = self.insert_link(caller, label, claims, meta).await;
        let refusal = Refusal { subject: Some(caller.user.id), action: AuditAction::LinkIdentity, detail: label };
        meta.record_if_refused(&self.store, &self.clock, refusal, linked).await
    }

    async fn insert_link(
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
            Some(_) => return Err(somebody_elses().into()),
            None => {
                self.insert(&mut tx, user, claims).await?;
                meta.record_own_on(&mut tx, &self.clock, user, AuditAction::LinkIdentity, label).await?;
                self.accounts.notify(&mut tx, &caller.user.email, Notice::ProviderLinked(label), meta).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    async fn insert(&self, tx: &mut Tx, user: UserId, claims: &IdTokenClaims) -> Result<(), Fault> {
        let IdTokenClaims { issuer, subject, email, .. } = claims;
        let created_at = self.clock.now();
        match tx.insert_identity(&NewIdentity { issuer, subject, user, email: email.given(), created_at }).await {
            Err(StoreError::Duplicate) => Err(somebody_elses().into()),
            other => Ok(other?),
        }
    }

    /// Who a person is at providers, the oldest link first.
    pub async fn list(&self, user: UserId) -> Result<Vec<Identity>, Fault> {
        let rows = self.store.read().await?.owned_by(user).list_identities().await?;
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

    /// Unlinks an identity of the caller's, and ends all their other sign-ins.
    ///
    /// # Errors
    /// `NotFound` where they have no such one, `Conflict` where nothing would be left to sign in with.
    pub async fn unlink(&self, caller: &Caller, issuer: &str, subject: &str, meta: &RequestMeta) -> Result<(), Fault> {
        self.accounts.require_fresh(caller)?;
        let mut tx = self.store.write().await?;
        let mut own = tx.owned_by(caller.user.id);
        let has_password = own.lock_password().await?;
        if !own.delete_identity(issuer, subject).await? {
            return Err(AppError::NotFound.into());
        }
        // An identity at a provider that the configuration no longer names opens nothing.
        let serves = |issuer: &str| self.providers.iter().any(|provider| provider.config.issuer == issuer);
        let others = own.list_identities().await?;
        if !has_password && !others.iter().any(|other| serves(&other.issuer)) {
            return Err(AppError::conflict(reason!("identity_needed")).into());
        }
        let known = self.providers.iter().find(|provider| provider.config.issuer == issuer);
        let label = known.map_or(issuer, |provider| provider.config.label.as_str());
        meta.record_own_on(&mut tx, &self.clock, caller.user.id, AuditAction::UnlinkIdentity, label).await?;
        tx.renew_credentials(caller.user.id, Some(caller.sign_in), self.clock.now()).await?;
        self.accounts.notify(&mut tx, &caller.user.email, Notice::ProviderUnlinked(label), meta).await?;
        tx.commit().await?;
        Ok(())
    }
}
