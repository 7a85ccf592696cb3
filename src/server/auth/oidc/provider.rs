//! One provider: what it says about itself, where people go, and what it vouches for.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, JsonWebKeySet,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
    core::{CoreClient, CoreClientAuthMethod, CoreIdToken, CoreJsonWebKey, CoreProviderMetadata, CoreResponseType},
    url::Url,
};
use reqwest::Client;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use super::{
    fetch::{fetch, is_safe},
    token::{self, Vouched, Wrong},
};
use crate::{
    domain::{IdentityProvider, Timestamp},
    server::{clock::Clock, config::IdentityProviderConfig},
};

/// For all that a provider is asked in one request of a person. Half a second less than is promised, for ourselves.
const PATIENCE: Duration = Duration::from_millis(4_500);
/// How long what a provider says about itself is believed, in seconds.
const FRESH_SECONDS: i64 = 3_600;

/// A provider.
#[derive(Debug)]
pub(super) struct Provider {
    pub config: IdentityProviderConfig,
    redirect: String,
    client: Client,
    clock: Clock,
    /// Held while the provider is asked, so that it is asked once for all who wait.
    known: Mutex<Option<Known>>,
    /// The origin to which people are sent, as far as it was ever known.
    origin: RwLock<Option<String>>,
}

/// What a provider said about itself, with its keys.
#[derive(Debug, Clone)]
struct Known {
    metadata: Arc<CoreProviderMetadata>,
    since: Timestamp,
}

/// Why a provider's part did not work.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    /// It does not answer, or not in the form that it should.
    #[error("{0}")]
    Unavailable(String),
    /// It does not vouch for anybody.
    #[error("{0}")]
    Refused(String),
}

fn unavailable(error: impl std::error::Error) -> ProviderError {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    ProviderError::Unavailable(format!("{error}{cause}"))
}

/// Bounds what is done with a provider, and says so where it takes too long.
async fn in_time<T>(work: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(result) => result,
        Err(_) => Err(ProviderError::Unavailable("the provider did not answer in time".to_owned())),
    }
}

impl Provider {
    /// `origin` is this installation's.
    pub fn new(config: IdentityProviderConfig, origin: &str, client: Client, clock: Clock) -> Self {
        let redirect = format!("{origin}/auth/{}/callback", config.name);
        // A good guess until it is asked, and right for most.
        let origin = Url::parse(&config.issuer).ok().filter(is_safe).map(|url| url.origin().ascii_serialization());
        Self { config, redirect, client, clock, known: Mutex::default(), origin: RwLock::new(origin) }
    }

    /// The origin to which people are sent.
    pub fn origin(&self) -> Option<String> {
        self.origin.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As people see it.
    pub fn shown(&self) -> IdentityProvider {
        IdentityProvider { name: self.config.name.clone(), label: self.config.label.clone() }
    }

    /// Where to send somebody. `again` asks the provider not to take an earlier sign-in there for this one.
    pub async fn address(
        &self,
        state: String,
        nonce: String,
        verifier: &str,
        again: bool,
    ) -> Result<Url, ProviderError> {
        let metadata = in_time(self.metadata()).await?;
        let verifier = PkceCodeVerifier::new(verifier.to_owned());
        let client = CoreClient::from_provider_metadata((*metadata).clone(), self.client_id(), None);
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let client = client.set_redirect_uri(RedirectUrl::new(self.redirect.clone()).map_err(unavailable)?);
        let mut request = client
            .authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce))
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if again {
            request = request.set_max_age(Duration::ZERO);
        }
        Ok(request.url().0)
    }

    /// For whom the provider vouches with this code.
    pub async fn vouched(&self, code: String, nonce: String, verifier: String) -> Result<Vouched, ProviderError> {
        in_time(async {
            let metadata = self.metadata().await?;
            let id_token = self.exchange(&metadata, code, verifier).await?;
            let nonce = Nonce::new(nonce);
            let check = |keys: &JsonWebKeySet<CoreJsonWebKey>| {
                token::check(&id_token, &nonce, &self.config, keys.clone(), self.clock.now())
            };
            let checked = match check(metadata.jwks()) {
                Err(Wrong::UnknownKey) => check(&self.new_keys(&metadata).await?),
                checked => checked,
            };
            checked.map_err(|wrong| ProviderError::Refused(wrong.to_string()))
        })
        .await
    }

    /// Asks the provider about itself, for later.
    pub async fn prepare(&self) -> Result<(), ProviderError> {
        in_time(self.metadata()).await.map(drop)
    }

    async fn exchange(
        &self,
        metadata: &CoreProviderMetadata,
        code: String,
        verifier: String,
    ) -> Result<CoreIdToken, ProviderError> {
        let secret = ClientSecret::new(self.config.client_secret.expose_secret().to_owned());
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.client_id(), Some(secret))
            .set_redirect_uri(RedirectUrl::new(self.redirect.clone()).map_err(unavailable)?)
            .set_auth_type(auth_type(metadata));
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(unavailable)?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let http = |request| fetch(self.client.clone(), request);
        let answer = request.request_async(&http).await;
        let answer = answer.map_err(|error| match error {
            openidconnect::RequestTokenError::ServerResponse(said) => {
                // Only the kind: the rest is the provider's own text.
                ProviderError::Refused(format!("the provider refused the code: {}", said.error().as_ref()))
            }
            openidconnect::RequestTokenError::Request(error) => unavailable(error),
            // Without the cause, which may repeat parts of a token.
            other => ProviderError::Refused(other.to_string()),
        })?;
        answer.id_token().cloned().ok_or_else(|| ProviderError::Refused("the provider gave no ID token".to_owned()))
    }

    /// What the provider says about itself; asked where it is not known or too old.
    async fn metadata(&self) -> Result<Arc<CoreProviderMetadata>, ProviderError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some(known) = known.as_ref().filter(|known| known.since.plus_seconds(FRESH_SECONDS) > now) {
            return Ok(known.metadata.clone());
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(unavailable)?;
        let http = |request| fetch(self.client.clone(), request);
        let asked = CoreProviderMetadata::discover_async(issuer, &http).await;
        let metadata = Arc::new(asked.map_err(unavailable)?);
        let address = metadata.authorization_endpoint().url();
        if !is_safe(address) {
            return Err(ProviderError::Unavailable("the provider sends people to an address without https".to_owned()));
        }
        *self.origin.write().unwrap_or_else(PoisonError::into_inner) = Some(address.origin().ascii_serialization());
        *known = Some(Known { metadata: metadata.clone(), since: now });
        Ok(metadata)
    }

    /// The keys as they are now: providers change them.
    async fn new_keys(&self, metadata: &CoreProviderMetadata) -> Result<JsonWebKeySet<CoreJsonWebKey>, ProviderError> {
        let mut known = self.known.lock().await;
        let http = |request| fetch(self.client.clone(), request);
        let asked = JsonWebKeySet::fetch_async(metadata.jwks_uri(), &http).await;
        let keys: JsonWebKeySet<CoreJsonWebKey> = asked.map_err(unavailable)?;
        if let Some(known) = known.as_mut() {
            known.metadata = Arc::new((*known.metadata).clone().set_jwks(keys.clone()));
        }
        Ok(keys)
    }

    fn client_id(&self) -> ClientId {
        ClientId::new(self.config.client_id.clone())
    }
}

/// How the provider wants to be shown the secret; in a header unless it says that it cannot read it there.
fn auth_type(metadata: &CoreProviderMetadata) -> AuthType {
    match metadata.token_endpoint_auth_methods_supported() {
        Some(methods) if !methods.contains(&CoreClientAuthMethod::ClientSecretBasic) => AuthType::RequestBody,
        _ => AuthType::BasicAuth,
    }
}
