//! Signing in with a passkey: after the password, or without one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tower_sessions::Session;
use webauthn_rs::prelude::{DiscoverableAuthentication, Passkey, PasskeyAuthentication, PublicKeyCredential};

use super::{
    Factors,
    passkeys::{Ceremony, json, parse, passkeys, read, refused},
};
use crate::{
    domain::{AppError, AuditAction, CeremonyId, CurrentUser, UserId},
    server::{
        audit::{Refusal, RequestMeta},
        auth::{Accounts, Caller, entry::Entry},
        fault::Fault,
        limits::Tries,
        store::CredentialsVersion,
    },
};

/// The key of a session record's entry for a stranger's ceremony.
pub(in crate::server::auth) const CEREMONY: &str = "ceremony";

impl Accounts {
    /// Begins the second step of a sign-in with a passkey. Gives the options for `navigator.credentials.get`, as JSON.
    ///
    /// # Errors
    /// `Unauthenticated` where nothing is pending; `Conflict` where the person has no passkey.
    pub async fn begin_passkey_check(&self, session: &Session) -> Result<String, Fault> {
        let pending = self.pending(session).await?.ok_or(AppError::Unauthenticated)?;
        self.factors.challenge(pending.user, Ceremony::of_pending(pending)).await
    }

    /// Finishes a sign-in with a passkey.
    ///
    /// # Errors
    /// As [`Accounts::finish_sign_in`], with the field `credential`.
    pub async fn finish_passkey_check(
        &self,
        credential: &str,
        meta: &RequestMeta,
        session: &Session,
    ) -> Result<Caller, Fault> {
        let pending = self.try_pending(meta, session).await?;
        let checked = self.factors.check_answer(pending.user, Ceremony::of_pending(pending), credential).await;
        let refusal = Refusal { subject: Some(pending.user), action: AuditAction::SecondFactor, detail: "passkey" };
        meta.record_if_refused(&self.store, &self.clock, refusal, checked).await?;
        self.complete(pending, meta, session).await
    }

    /// Begins to prove again who the caller is by a passkey. Gives the options for `navigator.credentials.get`, as JSON.
    ///
    /// # Errors
    /// `Conflict` where the caller has no passkey; `RateLimited`.
    pub async fn begin_passkey_confirmation(&self, caller: &Caller, meta: &RequestMeta) -> Result<String, Fault> {
        self.limits.count_ceremony(meta).await?;
        self.factors.challenge(caller.user.id, Ceremony::of_confirmation(caller)).await
    }

    /// Proves again who the caller is by a passkey. The session gets a new id.
    ///
    /// # Errors
    /// One and the same `Invalid` on `credential` for whatever is wrong with the answer; `RateLimited`.
    pub async fn finish_passkey_confirmation(
        &self,
        caller: &Caller,
        credential: &str,
        meta: &RequestMeta,
        session: &Session,
    ) -> Result<(), Fault> {
        let user = caller.user.id;
        self.limits.count_code_of(meta, user).await?;
        let checked = self.factors.check_answer(user, Ceremony::of_confirmation(caller), credential).await;
        let refusal = Refusal { subject: Some(user), action: AuditAction::Confirm, detail: "passkey" };
        meta.record_if_refused(&self.store, &self.clock, refusal, checked).await?;
        self.limits.reset_code_of(user).await?;
        self.confirmed(caller, meta, session).await
    }

    /// Begins a sign-in with nothing but a passkey. Gives the options for `navigator.credentials.get`, as JSON; a page that
    /// offers passkeys while an input is filled in adds `mediation: "conditional"`.
    ///
    /// # Errors
    /// `Conflict` where the installation's address is none for passkeys; `RateLimited`.
    pub async fn begin_passkey_sign_in(&self, meta: &RequestMeta, session: &Session) -> Result<String, Fault> {
        self.limits.count_ceremony(meta).await?;
        let started = self.factors.party()?.start_discoverable_authentication();
        let (mut options, state) = started.map_err(Fault::internal)?;
        options.mediation = None;
        let ceremony = Ceremony::of_stranger(CeremonyId::from_uuid(self.clock.new_id()));
        self.factors.begin_ceremony(ceremony, &state).await?;
        session.insert(CEREMONY, ceremony.id).await.map_err(Fault::internal)?;
        session.save().await.map_err(Fault::internal)?;
        json(&options)
    }

    /// Signs in with nothing but a passkey.
    ///
    /// # Errors
    /// One and the same `Invalid` on `credential` for an unknown passkey, one of somebody who is shut out, and an
    /// answer that is wrong, comes too late or twice; `RateLimited`.
    pub async fn finish_passkey_sign_in(
        &self,
        credential: &str,
        remember: bool,
        meta: &RequestMeta,
        session: &Session,
    ) -> Result<Caller, Fault> {
        self.limits.count_code(meta).await?;
        let person = self.check_passkey(credential, session).await;
        let refusal = Refusal { subject: None, action: AuditAction::SignIn, detail: "passkey" };
        let (person, credentials) = meta.record_if_refused(&self.store, &self.clock, refusal, person).await?;
        session.remove::<CeremonyId>(CEREMONY).await.map_err(Fault::internal)?;
        let entry = Entry { remember, meta, by: "passkey", credentials, refusal: refused(), tries: Tries::Code };
        self.begin(person, &entry, session).await
    }

    /// Whose passkey has answered the ceremony of this session, and the credentials under which that began.
    async fn check_passkey(
        &self,
        credential: &str,
        session: &Session,
    ) -> Result<(CurrentUser, CredentialsVersion), Fault> {
        let id: Option<CeremonyId> = session.get(CEREMONY).await.map_err(Fault::internal)?;
        let ceremony = Ceremony::of_stranger(id.ok_or_else(refused)?);
        let (state, began): (DiscoverableAuthentication, _) = self.factors.take_ceremony(ceremony).await?;
        let answer: PublicKeyCredential = parse(credential)?;
        let party = self.factors.party()?;
        let (user, id) = party.identify_discoverable_authentication(&answer).map_err(|_| refused())?;
        let mut tx = self.store.read().await?;
        let factor = tx.find_passkey(&URL_SAFE_NO_PAD.encode(id)).await?;
        let factor = factor.filter(|factor| factor.user_id == UserId::from_uuid(user)).ok_or_else(refused)?;
        let credentials = tx.find_credentials_version(factor.user_id).await?.ok_or_else(refused)?;
        let person = tx.find_user(factor.user_id).await?.ok_or_else(refused)?;
        drop(tx);
        if !credentials.was_in_force_at(began, self.clock.now()) {
            return Err(refused().into());
        }
        let passkey = read(&factor)?.ok_or_else(refused)?;
        let used = party.finish_discoverable_authentication_v2(&answer, state, &passkey).map_err(|_| refused())?;
        self.factors.note_use(&factor, passkey, &used).await?;
        Ok((person, credentials))
    }
}

impl Factors {
    /// Asks for one of a person's passkeys.
    async fn challenge(&self, user: UserId, ceremony: Ceremony) -> Result<String, Fault> {
        let factors = self.store.read().await?.owned_by(user).list_factors().await?;
        let known: Vec<Passkey> = passkeys(factors)?.into_iter().map(|(_, passkey)| passkey).collect();
        if known.is_empty() {
            return Err(AppError::conflict(reason!("passkey_missing")).into());
        }
        let (options, state) = self.party()?.start_passkey_authentication(&known).map_err(Fault::internal)?;
        self.begin_ceremony(ceremony, &state).await?;
        json(&options)
    }

    /// Checks the answer of one of a person's passkeys, and notes its use.
    async fn check_answer(&self, user: UserId, ceremony: Ceremony, credential: &str) -> Result<(), Fault> {
        let (state, _): (PasskeyAuthentication, _) = self.take_ceremony(ceremony).await?;
        let answer: PublicKeyCredential = parse(credential)?;
        let used = self.party()?.finish_passkey_authentication(&answer, &state).map_err(|_| refused())?;
        let factors = self.store.read().await?.owned_by(user).list_factors().await?;
        let found = passkeys(factors)?.into_iter().find(|(_, passkey)| passkey.cred_id() == used.cred_id());
        let (factor, passkey) = found.ok_or_else(refused)?;
        self.note_use(&factor, passkey, &used).await
    }
}
