//! Signing in with a passkey: as the second factor, or without a password.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use webauthn_rs::prelude::{DiscoverableAuthentication, Passkey, PasskeyAuthentication, PublicKeyCredential};

use super::{
    Factors,
    passkeys::{Ceremony, parse, passkey_refused, passkeys, read_passkey, to_json},
};
use crate::{
    domain::{AppError, AuditAction, CeremonyId, CurrentUser, UserId},
    server::{
        audit::{RefusedEvent, RequestMeta},
        auth::{Accounts, Caller, SessionChange, SessionState, sign_in_attempt::SignInAttempt},
        fault::Fault,
        limits::CountedAttempts,
        store::CredentialsVersion,
    },
};

impl Accounts {
    /// Starts the second step of a sign-in with a passkey. Returns the options for `navigator.credentials.get`, as
    /// JSON.
    ///
    /// # Errors
    /// `Unauthenticated` if no sign-in is pending; `Conflict` if the user has no passkey.
    pub async fn begin_passkey_check(&self, session: &SessionState) -> Result<String, Fault> {
        let pending = self.pending(session).await?.ok_or(AppError::Unauthenticated)?;
        self.factors.challenge(pending.user, Ceremony::for_pending(pending)).await
    }

    /// Finishes a sign-in with a passkey as the second factor.
    ///
    /// # Errors
    /// As [`Accounts::finish_sign_in`], with the field `credential`.
    pub async fn finish_passkey_check(
        &self,
        credential: &str,
        meta: &RequestMeta,
        session: &SessionState,
    ) -> Result<SessionChange, Fault> {
        let pending = self.count_pending_attempt(meta, session).await?;
        let checked = self.factors.check_answer(pending.user, Ceremony::for_pending(pending), credential).await;
        let refusal =
            RefusedEvent { subject: Some(pending.user), action: AuditAction::SecondFactor, detail: "passkey" };
        meta.record_if_refused(&self.store, &self.clock, refusal, checked).await?;
        self.complete_second_factor(pending, meta, session).await
    }

    /// Starts re-authentication by passkey. Returns the options for `navigator.credentials.get`, as JSON.
    ///
    /// # Errors
    /// `Conflict` if the caller has no passkey; `RateLimited`.
    pub async fn begin_passkey_confirmation(&self, caller: &Caller, meta: &RequestMeta) -> Result<String, Fault> {
        self.limits.count_ceremony(meta).await?;
        self.factors.challenge(caller.user.id, Ceremony::for_reauthentication(caller)).await
    }

    /// Finishes re-authentication by passkey. Rotates the session id.
    ///
    /// # Errors
    /// The same `Invalid` on `credential` for every kind of wrong response; `RateLimited`.
    pub async fn finish_passkey_confirmation(
        &self,
        caller: &Caller,
        credential: &str,
        meta: &RequestMeta,
    ) -> Result<SessionChange, Fault> {
        let user = caller.user.id;
        self.limits.count_code_for_user(meta, user).await?;
        let checked = self.factors.check_answer(user, Ceremony::for_reauthentication(caller), credential).await;
        let refusal = RefusedEvent { subject: Some(user), action: AuditAction::Confirm, detail: "passkey" };
        meta.record_if_refused(&self.store, &self.clock, refusal, checked).await?;
        self.limits.reset_code_for_user(user).await?;
        self.record_reauthentication(caller, meta).await
    }

    /// Starts a passwordless sign-in by passkey. Returns the options for `navigator.credentials.get`, as JSON. A page
    /// with passkey autofill adds `mediation: "conditional"`.
    ///
    /// # Errors
    /// `Conflict` if passkeys do not work at the installation's address; `RateLimited`.
    pub async fn begin_passkey_sign_in(&self, meta: &RequestMeta) -> Result<(String, SessionChange), Fault> {
        self.limits.count_ceremony(meta).await?;
        let started = self.factors.webauthn()?.start_discoverable_authentication();
        let (mut options, state) = started.map_err(Fault::internal)?;
        options.mediation = None;
        let ceremony = Ceremony::for_anonymous(CeremonyId::from_uuid(self.clock.new_id()));
        self.factors.begin_ceremony(ceremony, &state).await?;
        Ok((to_json(&options)?, SessionChange::Ceremony(ceremony.id)))
    }

    /// Finishes a passwordless sign-in by passkey.
    ///
    /// # Errors
    /// The same `Invalid` on `credential` for an unknown passkey, one of a disabled account, and a response that is
    /// wrong, late or replayed; `RateLimited`.
    pub async fn finish_passkey_sign_in(
        &self,
        credential: &str,
        remember: bool,
        meta: &RequestMeta,
        session: &SessionState,
    ) -> Result<SessionChange, Fault> {
        self.limits.count_code(meta).await?;
        let person = self.check_passkey(credential, session.ceremony).await;
        let refusal = RefusedEvent { subject: None, action: AuditAction::SignIn, detail: "passkey" };
        let (person, credentials) = meta.record_if_refused(&self.store, &self.clock, refusal, person).await?;
        let attempt = SignInAttempt {
            remember,
            meta,
            method: "passkey",
            credentials,
            refusal: passkey_refused(),
            counted: CountedAttempts::Code,
        };
        self.create_sign_in(person, &attempt, session).await
    }

    /// The user whose passkey answered this ceremony, and the version of their credentials when it began.
    async fn check_passkey(
        &self,
        credential: &str,
        ceremony: Option<CeremonyId>,
    ) -> Result<(CurrentUser, CredentialsVersion), Fault> {
        let ceremony = Ceremony::for_anonymous(ceremony.ok_or_else(passkey_refused)?);
        let (state, began): (DiscoverableAuthentication, _) = self.factors.take_ceremony(ceremony).await?;
        let answer: PublicKeyCredential = parse(credential)?;
        let webauthn = self.factors.webauthn()?;
        let (user, id) = webauthn.identify_discoverable_authentication(&answer).map_err(|_| passkey_refused())?;
        let mut tx = self.store.read().await?;
        let factor = tx.find_passkey(&URL_SAFE_NO_PAD.encode(id)).await?;
        let factor = factor.filter(|factor| factor.user_id == UserId::from_uuid(user)).ok_or_else(passkey_refused)?;
        let credentials = tx.owned_by(factor.user_id).find_credentials_version().await?.ok_or_else(passkey_refused)?;
        let person = tx.owned_by(factor.user_id).find_user().await?.ok_or_else(passkey_refused)?;
        drop(tx);
        if !credentials.was_in_force_at(began, self.clock.now()) {
            return Err(passkey_refused().into());
        }
        let passkey = read_passkey(&factor)?.ok_or_else(passkey_refused)?;
        let used =
            webauthn.finish_discoverable_authentication_v2(&answer, state, &passkey).map_err(|_| passkey_refused())?;
        self.factors.record_use(&factor, passkey, &used).await?;
        Ok((person, credentials))
    }
}

impl Factors {
    /// Starts a ceremony for any of the user's passkeys.
    async fn challenge(&self, user: UserId, ceremony: Ceremony) -> Result<String, Fault> {
        let factors = self.store.read().await?.owned_by(user).list_factors().await?;
        let known: Vec<Passkey> = passkeys(factors)?.into_iter().map(|(_, passkey)| passkey).collect();
        if known.is_empty() {
            return Err(AppError::conflict(reason!("passkey_missing")).into());
        }
        let (options, state) = self.webauthn()?.start_passkey_authentication(&known).map_err(Fault::internal)?;
        self.begin_ceremony(ceremony, &state).await?;
        to_json(&options)
    }

    /// Checks the response of one of the user's passkeys, and records its use.
    async fn check_answer(&self, user: UserId, ceremony: Ceremony, credential: &str) -> Result<(), Fault> {
        let (state, _): (PasskeyAuthentication, _) = self.take_ceremony(ceremony).await?;
        let answer: PublicKeyCredential = parse(credential)?;
        let used = self.webauthn()?.finish_passkey_authentication(&answer, &state).map_err(|_| passkey_refused())?;
        let factors = self.store.read().await?.owned_by(user).list_factors().await?;
        let found = passkeys(factors)?.into_iter().find(|(_, passkey)| passkey.cred_id() == used.cred_id());
        let (factor, passkey) = found.ok_or_else(passkey_refused)?;
        self.record_use(&factor, passkey, &used).await
    }
}
