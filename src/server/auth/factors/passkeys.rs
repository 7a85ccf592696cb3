//! Passkeys (WebAuthn): as a second factor, and as the only factor.
//!
//! Each use is a ceremony in two steps: the server sends a challenge, the browser answers it. In between, the state is
//! stored sealed, for five minutes and one response. User verification is required: a passkey proves both possession
//! and the user, so it can replace the password.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{AuthenticationResult, CredentialID, Passkey, PasskeyRegistration, RegisterPublicKeyCredential, Url},
};

use super::{Factors, check_factor_limit, recovery};
use crate::{
    domain::{AppError, CeremonyId, FactorId, Timestamp, UserId, limits, parse_factor_name},
    server::{
        audit::RequestMeta,
        auth::{Caller, caller::require_signed_in},
        config::{Config, PublicUrl},
        fault::Fault,
        store::{
            CeremonyPurpose, FactorData, FactorRow, NewCeremony, NewFactor, PendingSignIn, StoreError, sealed_context,
        },
    },
};

/// Timeout of a ceremony, in seconds.
const CEREMONY_SECONDS: i64 = 300;
/// The context label for sealing ceremony states.
const SEAL_LABEL: &str = "ceremony";

/// The key of a ceremony. For a known user it uses the id of their sign-in or pending sign-in instead of a new one: the
/// session need not be written again, which would lose the lifetime of its cookie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceremony {
    pub id: CeremonyId,
    purpose: CeremonyPurpose,
    user: Option<UserId>,
}

impl Ceremony {
    const fn for_registration(caller: &Caller) -> Self {
        let id = CeremonyId::from_uuid(caller.sign_in.uuid());
        Self { id, purpose: CeremonyPurpose::Registration, user: Some(caller.user.id) }
    }

    /// To re-authenticate a signed-in user.
    pub(super) const fn for_reauthentication(caller: &Caller) -> Self {
        let id = CeremonyId::from_uuid(caller.sign_in.uuid());
        Self { id, purpose: CeremonyPurpose::Check, user: Some(caller.user.id) }
    }

    pub(super) const fn for_pending(pending: PendingSignIn) -> Self {
        Self { id: CeremonyId::from_uuid(pending.id.uuid()), purpose: CeremonyPurpose::Check, user: Some(pending.user) }
    }

    pub(super) const fn for_anonymous(id: CeremonyId) -> Self {
        Self { id, purpose: CeremonyPurpose::SignIn, user: None }
    }
}

/// The relying party: the host of the configured `url`, else `localhost`. `None` for an IP address, for which browsers
/// create no passkeys.
pub(super) fn relying_party(config: &Config) -> Option<Arc<Webauthn>> {
    let origin =
        config.url.as_ref().map_or_else(|| format!("http://localhost:{}", config.listen.port()), PublicUrl::origin);
    let origin = Url::parse(&origin).ok()?;
    let id = origin.domain()?.to_owned();
    let built = WebauthnBuilder::new(&id, &origin).and_then(|builder| builder.rp_name("Colloquy").build());
    built.inspect_err(|error| tracing::warn!(%error, %origin, "passkeys cannot be used")).ok().map(Arc::new)
}

impl Factors {
    /// Starts the registration of a passkey. Returns the options for `navigator.credentials.create`, as JSON.
    ///
    /// # Errors
    /// `Conflict` if passkeys do not work at the installation's address, or the caller has too many factors.
    pub async fn begin_passkey_registration(&self, caller: &Caller) -> Result<String, Fault> {
        let user = &caller.user;
        let mut tx = self.store.read().await?;
        let mut owned = tx.owned_by(user.id);
        check_factor_limit(&mut owned).await?;
        let known: Vec<CredentialID> =
            passkeys(owned.list_factors().await?)?.into_iter().map(|(_, passkey)| passkey.cred_id().clone()).collect();
        drop(tx);
        let started = self.webauthn()?.start_passkey_registration(user.id.uuid(), &user.email, &user.name, Some(known));
        let (mut options, state) = started.map_err(Fault::internal)?;
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            // A discoverable credential if the device supports it, so that it also signs in without a password.
            selection.resident_key = serde_json::from_str("\"preferred\"").ok();
        }
        let ceremony = Ceremony::for_registration(caller);
        self.begin_ceremony(ceremony, &state).await?;
        to_json(&options)
    }

    /// Finishes the registration of a passkey. Returns recovery codes with the first factor, which are shown only once;
    /// empty if the caller already has codes.
    ///
    /// # Errors
    /// `Invalid` on `name`; the same `Invalid` on `credential` for a response that is wrong, late or replayed, and for
    /// a passkey that is already registered; `RateLimited`.
    pub async fn finish_passkey_registration(
        &self,
        caller: &Caller,
        name: &str,
        credential: &str,
        meta: &RequestMeta,
    ) -> Result<Vec<String>, Fault> {
        let name = parse_factor_name(name)?;
        self.attempt_to_add(caller, "passkey", meta, self.add_passkey(caller, &name, credential, meta)).await
    }

    async fn add_passkey(
        &self,
        caller: &Caller,
        name: &str,
        credential: &str,
        meta: &RequestMeta,
    ) -> Result<Vec<String>, Fault> {
        let user = caller.user.id;
        let (state, _): (PasskeyRegistration, _) = self.take_ceremony(Ceremony::for_registration(caller)).await?;
        let answer: RegisterPublicKeyCredential = parse(credential)?;
        let passkey = self.webauthn()?.finish_passkey_registration(&answer, &state).map_err(|_| passkey_refused())?;
        let id = URL_SAFE_NO_PAD.encode(passkey.cred_id());
        let credential = to_json(&passkey)?;
        let mut tx = self.store.write().await?;
        require_signed_in(&mut tx, caller, self.clock.now()).await?;
        let factor = NewFactor {
            id: FactorId::from_uuid(self.clock.new_id()),
            name,
            data: FactorData::Passkey { id: &id, credential: &credential },
            created_at: self.clock.now(),
        };
        match tx.owned_by(user).insert_factor(&factor).await {
            Err(StoreError::Duplicate) => return Err(passkey_refused().into()),
            other => other?,
        }
        let codes = recovery::create_initial_codes(&mut tx, user).await?;
        self.record_added(&mut tx, caller, name, meta).await?;
        tx.owned_by(user).renew_credentials(Some(caller.sign_in), self.clock.now()).await?;
        tx.commit().await?;
        Ok(codes)
    }

    pub(super) fn webauthn(&self) -> Result<&Webauthn, AppError> {
        self.relying_party.as_deref().ok_or_else(|| AppError::conflict(reason!("passkeys_need_name")))
    }

    /// Stores the state of a ceremony. Replaces an earlier one with the same key.
    pub(super) async fn begin_ceremony(&self, ceremony: Ceremony, state: &impl Serialize) -> Result<(), Fault> {
        let Ceremony { id, purpose, user } = ceremony;
        let context = sealed_context(SEAL_LABEL, id.uuid());
        let state = self.secrets.seal(&context, to_json(state)?.as_bytes()).map_err(Fault::internal)?;
        let expires_at = self.clock.now().plus_seconds(CEREMONY_SECONDS);
        let mut tx = self.store.write().await?;
        tx.insert_ceremony(&NewCeremony { id, purpose, user, state: &state, expires_at }).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Consumes a ceremony. Returns its state and start time.
    pub(super) async fn take_ceremony<T: DeserializeOwned>(&self, ceremony: Ceremony) -> Result<(T, Timestamp), Fault> {
        let Ceremony { id, purpose, user } = ceremony;
        let mut tx = self.store.write().await?;
        let state = tx.take_ceremony(id, purpose, user, self.clock.now()).await?;
        tx.commit().await?;
        let (state, expires_at) = state.ok_or_else(passkey_refused)?;
        let state =
            self.secrets.open_sealed(&sealed_context(SEAL_LABEL, id.uuid()), &state).map_err(Fault::internal)?;
        let state = serde_json::from_slice(&state).map_err(Fault::internal)?;
        Ok((state, expires_at.plus_seconds(-CEREMONY_SECONDS)))
    }

    /// Records a use, with the new counter and backup state.
    pub(super) async fn record_use(
        &self,
        factor: &FactorRow,
        mut passkey: Passkey,
        used: &AuthenticationResult,
    ) -> Result<(), Fault> {
        passkey.update_credential(used).ok_or_else(passkey_refused)?;
        let mut tx = self.store.write().await?;
        let updated =
            tx.owned_by(factor.user_id).update_credential(factor.id, &to_json(&passkey)?, self.clock.now()).await?;
        tx.commit().await?;
        // The passkey was removed in the meantime.
        if updated { Ok(()) } else { Err(passkey_refused().into()) }
    }
}

pub(super) fn read_passkey(factor: &FactorRow) -> Result<Option<Passkey>, Fault> {
    factor.credential.as_deref().map(serde_json::from_str).transpose().map_err(Fault::internal)
}

pub(super) fn passkeys(factors: Vec<FactorRow>) -> Result<Vec<(FactorRow, Passkey)>, Fault> {
    let mut found = Vec::new();
    for factor in factors {
        if let Some(passkey) = read_passkey(&factor)? {
            found.push((factor, passkey));
        }
    }
    Ok(found)
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(Fault::internal)
}

pub(super) fn parse<T: DeserializeOwned>(credential: &str) -> Result<T, AppError> {
    if credential.len() > limits::MAX_CREDENTIAL_BYTES {
        return Err(passkey_refused());
    }
    serde_json::from_str(credential).map_err(|_| passkey_refused())
}

/// The one error for everything that is wrong with a passkey's response.
pub(super) fn passkey_refused() -> AppError {
    AppError::invalid("credential", reason!("passkey_refused"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(url: Option<(bool, &str)>) -> Option<Vec<String>> {
        let url = url.map(|(https, host)| PublicUrl { https, host: host.to_owned() });
        let party = relying_party(&Config { url, ..Config::default() })?;
        Some(party.get_allowed_origins().iter().map(|origin| origin.origin().ascii_serialization()).collect())
    }

    #[test]
    fn passkeys_need_a_host_name_and_not_an_ip_address() {
        assert_eq!(origins(None), Some(vec!["http://localhost:3000".to_owned()]));
        let https = origins(Some((true, "chat.example.org")));
        assert_eq!(https, Some(vec!["https://chat.example.org".to_owned()]));
        let port = origins(Some((true, "chat.example.org:8443")));
        assert_eq!(port, Some(vec!["https://chat.example.org:8443".to_owned()]));
        assert_eq!(origins(Some((true, "192.0.2.7"))), None);
        assert_eq!(origins(Some((true, "[2001:db8::1]"))), None);
    }
}
