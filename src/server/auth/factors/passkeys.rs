//! Passkeys (WebAuthn): as a second factor, and as the only thing that is needed.
//!
//! Each use is a ceremony of two halves: the server gives a challenge, the browser answers it. In between the server
//! keeps its state, sealed, for five minutes and one answer. User verification is required, so a passkey
//! proves both possession and a person, which is why it may stand alone.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{AuthenticationResult, CredentialID, Passkey, PasskeyRegistration, RegisterPublicKeyCredential, Url},
};

use super::{Factors, check_count, recovery};
use crate::{
    domain::{AppError, CeremonyId, FactorId, Timestamp, UserId, limits, parse_factor_name},
    server::{
        audit::RequestMeta,
        auth::{Caller, caller::require_signed_in},
        config::{Config, PublicUrl},
        fault::Fault,
        store::{
            CeremonyPurpose, FactorRow, Material, NewCeremony, NewFactor, PendingSignIn, StoreError, sealed_context,
        },
    },
};

/// How long the browser may take to answer.
const CEREMONY_SECONDS: i64 = 300;
/// The first word of the context in which states are sealed.
const LABEL: &str = "ceremony";

/// Which ceremony. Those of somebody who is known go by the id of their sign-in, or of the one that is pending:
/// a session record that is written again would lose how long its cookie is to be kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ceremony {
    pub id: CeremonyId,
    purpose: CeremonyPurpose,
    user: Option<UserId>,
}

impl Ceremony {
    const fn of_sign_in(caller: &Caller) -> Self {
        let id = CeremonyId::from_uuid(caller.sign_in.uuid());
        Self { id, purpose: CeremonyPurpose::Registration, user: Some(caller.user.id) }
    }

    /// For somebody who is signed in, and proves who they are.
    pub(super) const fn of_confirmation(caller: &Caller) -> Self {
        let id = CeremonyId::from_uuid(caller.sign_in.uuid());
        Self { id, purpose: CeremonyPurpose::Check, user: Some(caller.user.id) }
    }

    pub(super) const fn of_pending(pending: PendingSignIn) -> Self {
        Self { id: CeremonyId::from_uuid(pending.id.uuid()), purpose: CeremonyPurpose::Check, user: Some(pending.user) }
    }

    pub(super) const fn of_stranger(id: CeremonyId) -> Self {
        Self { id, purpose: CeremonyPurpose::SignIn, user: None }
    }
}

/// Who passkeys are made for: the host of the configured `url`, else `localhost`. Browsers make none for an address
/// of numbers.
pub(super) fn relying_party(config: &Config) -> Option<Arc<Webauthn>> {
    let origin =
        config.url.as_ref().map_or_else(|| format!("http://localhost:{}", config.listen.port()), PublicUrl::origin);
    let origin = Url::parse(&origin).ok()?;
    let id = origin.domain()?.to_owned();
    let built = WebauthnBuilder::new(&id, &origin).and_then(|builder| builder.rp_name("Colloquy").build());
    built.inspect_err(|error| tracing::warn!(%error, %origin, "passkeys cannot be used")).ok().map(Arc::new)
}

impl Factors {
    /// Begins to add a passkey. Gives the options for `navigator.credentials.create`, as JSON.
    ///
    /// # Errors
    /// `Conflict` where the installation's address is none for passkeys, or the caller has too many factors.
    pub async fn begin_passkey_registration(&self, caller: &Caller) -> Result<String, Fault> {
        let user = &caller.user;
        let mut tx = self.store.read().await?;
        let mut owned = tx.owned_by(user.id);
        check_count(&mut owned).await?;
        let known: Vec<CredentialID> =
            passkeys(owned.list_factors().await?)?.into_iter().map(|(_, passkey)| passkey.cred_id().clone()).collect();
        drop(tx);
        let started = self.party()?.start_passkey_registration(user.id.uuid(), &user.email, &user.name, Some(known));
        let (mut options, state) = started.map_err(Fault::internal)?;
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            // Kept by the device under the person's name where it can, so that it also signs in without a password.
            selection.resident_key = serde_json::from_str("\"preferred\"").ok();
        }
        let ceremony = Ceremony::of_sign_in(caller);
        self.begin_ceremony(ceremony, &state).await?;
        json(&options)
    }

    /// Adds the passkey that the browser made. Gives recovery codes with the first factor, which are shown this
    /// once; empty where the caller has codes already.
    ///
    /// # Errors
    /// `Invalid` on `name`; one and the same `Invalid` on `credential` for an answer that is wrong, comes too late or
    /// twice, or belongs to a passkey that somebody has already; `RateLimited`.
    pub async fn finish_passkey_registration(
        &self,
        caller: &Caller,
        name: &str,
        credential: &str,
        meta: &RequestMeta,
    ) -> Result<Vec<String>, Fault> {
        let name = parse_factor_name(name)?;
        self.try_to_add(caller, "passkey", meta, self.add_passkey(caller, &name, credential, meta)).await
    }

    async fn add_passkey(
        &self,
        caller: &Caller,
        name: &str,
        credential: &str,
        meta: &RequestMeta,
    ) -> Result<Vec<String>, Fault> {
        let user = caller.user.id;
        let (state, _): (PasskeyRegistration, _) = self.take_ceremony(Ceremony::of_sign_in(caller)).await?;
        let answer: RegisterPublicKeyCredential = parse(credential)?;
        let passkey = self.party()?.finish_passkey_registration(&answer, &state).map_err(|_| refused())?;
        let id = URL_SAFE_NO_PAD.encode(passkey.cred_id());
        let credential = json(&passkey)?;
        let mut tx = self.store.write().await?;
        require_signed_in(&mut tx, caller, self.clock.now()).await?;
        let factor = NewFactor {
            id: FactorId::from_uuid(self.clock.new_id()),
            name,
            material: Material::Passkey { id: &id, credential: &credential },
            created_at: self.clock.now(),
        };
        match tx.owned_by(user).insert_factor(&factor).await {
            Err(StoreError::Duplicate) => return Err(refused().into()),
            other => other?,
        }
        let codes = recovery::give_first(&mut tx, user).await?;
        self.note_added(&mut tx, caller, name, meta).await?;
        tx.renew_credentials(user, Some(caller.sign_in), self.clock.now()).await?;
        tx.commit().await?;
        Ok(codes)
    }

    pub(super) fn party(&self) -> Result<&Webauthn, AppError> {
        self.relying_party.as_deref().ok_or_else(|| AppError::conflict(reason!("passkeys_need_name")))
    }

    /// Keeps the state of a ceremony. One that was begun before in the same place is forgotten.
    pub(super) async fn begin_ceremony(&self, ceremony: Ceremony, state: &impl Serialize) -> Result<(), Fault> {
        let Ceremony { id, purpose, user } = ceremony;
        let context = sealed_context(LABEL, id.uuid());
        let state = self.secrets.seal(&context, json(state)?.as_bytes()).map_err(Fault::internal)?;
        let expires_at = self.clock.now().plus_seconds(CEREMONY_SECONDS);
        let mut tx = self.store.write().await?;
        tx.insert_ceremony(&NewCeremony { id, purpose, user, state: &state, expires_at }).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends a ceremony and gives its state, and when it began.
    pub(super) async fn take_ceremony<T: DeserializeOwned>(&self, ceremony: Ceremony) -> Result<(T, Timestamp), Fault> {
        let Ceremony { id, purpose, user } = ceremony;
        let mut tx = self.store.write().await?;
        let state = tx.take_ceremony(id, purpose, user, self.clock.now()).await?;
        tx.commit().await?;
        let (state, expires_at) = state.ok_or_else(refused)?;
        let state = self.secrets.open_sealed(&sealed_context(LABEL, id.uuid()), &state).map_err(Fault::internal)?;
        let state = serde_json::from_slice(&state).map_err(Fault::internal)?;
        Ok((state, expires_at.plus_seconds(-CEREMONY_SECONDS)))
    }

    /// Notes a use, with the counter and the state of backup that it brought.
    pub(super) async fn note_use(
        &self,
        factor: &FactorRow,
        mut passkey: Passkey,
        used: &AuthenticationResult,
    ) -> Result<(), Fault> {
        passkey.update_credential(used).ok_or_else(refused)?;
        let mut tx = self.store.write().await?;
        let noted =
            tx.owned_by(factor.user_id).update_credential(factor.id, &json(&passkey)?, self.clock.now()).await?;
        tx.commit().await?;
        // It was removed in the meantime.
        if noted { Ok(()) } else { Err(refused().into()) }
    }
}

pub(super) fn read(factor: &FactorRow) -> Result<Option<Passkey>, Fault> {
    factor.credential.as_deref().map(serde_json::from_str).transpose().map_err(Fault::internal)
}

pub(super) fn passkeys(factors: Vec<FactorRow>) -> Result<Vec<(FactorRow, Passkey)>, Fault> {
    let mut found = Vec::new();
    for factor in factors {
        if let Some(passkey) = read(&factor)? {
            found.push((factor, passkey));
        }
    }
    Ok(found)
}

pub(super) fn json(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(Fault::internal)
}

pub(super) fn parse<T: DeserializeOwned>(credential: &str) -> Result<T, AppError> {
    if credential.len() > limits::CREDENTIAL_BYTES {
        return Err(refused());
    }
    serde_json::from_str(credential).map_err(|_| refused())
}

/// The one answer to everything that is wrong with a passkey's answer.
pub(super) fn refused() -> AppError {
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
    fn passkeys_are_for_the_configured_name_or_localhost_and_for_no_address_of_numbers() {
        assert_eq!(origins(None), Some(vec!["http://localhost:3000".to_owned()]));
        let https = origins(Some((true, "chat.example.org")));
        assert_eq!(https, Some(vec!["https://chat.example.org".to_owned()]));
        let port = origins(Some((true, "chat.example.org:8443")));
        assert_eq!(port, Some(vec!["https://chat.example.org:8443".to_owned()]));
        assert_eq!(origins(Some((true, "192.0.2.7"))), None);
        assert_eq!(origins(Some((true, "[2001:db8::1]"))), None);
    }
}
