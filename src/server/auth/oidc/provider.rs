//! One identity provider: its cached metadata, the authorization URL, and the code exchange.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use openidconnect::{
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier,
    http::{Method, Request, header},
    url::{Url, form_urlencoded},
};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use super::{
    client::ProviderClient,
    error::{ProviderError, SetupError, TokenError},
    jwt::{self, Claims, Keys},
    metadata::{Metadata, success_body},
    token::{self, IdTokenClaims},
};
use crate::{
    domain::{IdentityProvider, Timestamp},
    server::{
        clock::Clock,
        config::IdentityProviderConfig,
        egress::{Egress, is_secure_url},
    },
};

/// Timeout for all requests to the provider in one user request. The documented limit is 5 s; half a second is for
/// ourselves.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(4_500);
/// How long cached metadata is fresh, in seconds.
const METADATA_MAX_AGE_SECONDS: i64 = 3_600;
/// Minimum time between two refreshes of the key set, in seconds.
const KEY_REFRESH_INTERVAL_SECONDS: i64 = 30;
/// How long a sign-in waits for the userinfo endpoint if only the name is missing.
const NAME_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The requested scopes: subject, email address and name.
const SCOPES: &str = "openid email profile";

/// An identity provider.
#[derive(Debug)]
pub(super) struct Provider {
    pub config: IdentityProviderConfig,
    redirect_uri: String,
    egress: Egress,
    clock: Clock,
    /// The metadata cache. Locked during a fetch, so that concurrent requests share one fetch.
    cache: Mutex<Option<Arc<CachedMetadata>>>,
    /// The origin of the authorization endpoint.
    origin: RwLock<Option<String>>,
}

/// Cached metadata, with the key set.
#[derive(Debug)]
struct CachedMetadata {
    metadata: Arc<Metadata>,
    keys: Keys,
    fetched_at: Timestamp,
    /// When the key set was last refreshed on its own.
    keys_refreshed_at: Option<Timestamp>,
}

impl Provider {
    /// `origin` is that of this installation.
    pub fn new(config: IdentityProviderConfig, origin: &str, egress: Egress, clock: Clock) -> Self {
        let redirect_uri = format!("{origin}/auth/{}/callback", config.name);
        // The issuer's origin is a good guess until the metadata is fetched, and right for most providers.
        let origin =
            Url::parse(&config.issuer).ok().filter(is_secure_url).map(|url| url.origin().ascii_serialization());
        Self { config, redirect_uri, egress, clock, cache: Mutex::default(), origin: RwLock::new(origin) }
    }

    fn client(&self) -> ProviderClient<'_> {
        ProviderClient::new(&self.egress, &self.config.issuer, REQUEST_TIMEOUT)
    }

    /// The origin of the authorization endpoint.
    pub fn origin(&self) -> Option<String> {
        self.origin.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Name and label, for the sign-in page.
    pub fn summary(&self) -> IdentityProvider {
        IdentityProvider { name: self.config.name.clone(), label: self.config.label.clone() }
    }

    /// The authorization URL for a flow. `force_reauth` makes the provider authenticate the user again.
    pub async fn authorization_url(
        &self,
        state: String,
        nonce: String,
        verifier: &str,
        force_reauth: bool,
    ) -> Result<Url, ProviderError> {
        let client = self.client();
        let cached = client.run(self.cached_metadata(&client)).await?;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.to_owned()));
        let mut url = cached.metadata.authorization.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", &self.config.client_id);
        query.append_pair("redirect_uri", &self.redirect_uri).append_pair("scope", SCOPES);
        query.append_pair("state", &state).append_pair("nonce", &nonce);
        query.append_pair("code_challenge", challenge.as_str()).append_pair("code_challenge_method", "S256");
        if force_reauth {
            query.append_pair("max_age", "0");
        }
        drop(query);
        Ok(url)
    }

    /// Exchanges the code for an ID token, and returns its verified claims.
    pub async fn exchange_code(&self, code: &str, nonce: &str, verifier: &str) -> Result<IdTokenClaims, ProviderError> {
        let client = self.client();
        let claims = async {
            let cached = self.cached_metadata(&client).await?;
            let request = self.token_request(&cached.metadata, code, verifier)?;
            let response = parse_token_response(&client.fetch(request).await?)?;
            let id_token =
                response.text("id_token").ok_or(SetupError::Token("it has no ID token; allow the scope `openid`"))?;
            let claims = self.verify_id_token(&client, &cached, id_token, nonce).await?;
            let userinfo = self.fetch_missing_claims(&client, &cached, &claims, response.text("access_token")).await?;
            token::to_id_token_claims(&claims, userinfo.as_ref(), &self.config.issuer)
        };
        client.run(claims).await
    }

    /// Fetches the metadata into the cache.
    pub async fn prepare(&self) -> Result<(), ProviderError> {
        let client = self.client();
        client.run(self.cached_metadata(&client)).await.map(drop)
    }

    /// The request to the token endpoint.
    fn token_request(&self, metadata: &Metadata, code: &str, verifier: &str) -> Result<HttpRequest, ProviderError> {
        let (id, secret) = (self.config.client_id.as_str(), self.config.client_secret.expose_secret());
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code").append_pair("code", code);
        form.append_pair("redirect_uri", &self.redirect_uri).append_pair("code_verifier", verifier);
        let mut request = Request::builder().method(Method::POST).uri(metadata.token.as_str());
        if metadata.supports_basic_auth {
            // Both are form-encoded before they are joined (RFC 6749, section 2.3.1).
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let both = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
            request = request.header(header::AUTHORIZATION, format!("Basic {both}"));
        } else {
            form.append_pair("client_id", id).append_pair("client_secret", secret);
        }
        let request = request
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        Ok(request.body(form.finish().into_bytes())?)
    }

    /// Verifies an ID token. Refreshes the key set if the signing key is unknown.
    async fn verify_id_token(
        &self,
        client: &ProviderClient<'_>,
        cached: &CachedMetadata,
        token: &str,
        nonce: &str,
    ) -> Result<Claims, ProviderError> {
        let check = |keys: &Keys| token::validate(token, nonce, &self.config, keys, self.clock.now());
        match check(&cached.keys) {
            Err(TokenError::UnknownKey) => Ok(check(&self.refresh_keys(client, cached).await?)?),
            checked => Ok(checked?),
        }
    }

    /// Claims from the userinfo endpoint, if the ID token lacks the address or the name.
    async fn fetch_missing_claims(
        &self,
        client: &ProviderClient<'_>,
        cached: &CachedMetadata,
        claims: &Claims,
        access_token: Option<&str>,
    ) -> Result<Option<Claims>, ProviderError> {
        let (Some(endpoint), Some(access_token)) = (&cached.metadata.userinfo, access_token) else { return Ok(None) };
        if token::verified_email(claims, &self.config.issuer)?.is_none() {
            return self.fetch_userinfo(client, cached, (endpoint, access_token), claims).await.map(Some);
        }
        if claims.text("name").is_some() {
            return Ok(None);
        }
        // A missing name must not prevent sign-in.
        let client = client.with_timeout(NAME_TIMEOUT);
        Ok(client.run(self.fetch_userinfo(&client, cached, (endpoint, access_token), claims)).await.ok())
    }

    async fn fetch_userinfo(
        &self,
        client: &ProviderClient<'_>,
        cached: &CachedMetadata,
        (endpoint, access_token): (&Url, &str),
        claims: &Claims,
    ) -> Result<Claims, ProviderError> {
        let response = client.get(endpoint.as_str(), Some(access_token)).await?;
        let body = success_body(&response).map_err(|error| error.into_provider_error(SetupError::Userinfo))?;
        // The response may be signed (OpenID Connect Core, section 5.3.2).
        let userinfo = match jwt::as_jwt(body) {
            Some(token) => match jwt::verify(token, &cached.keys) {
                // The signing key may be newer than the cached key set.
                Err(TokenError::UnknownKey) => jwt::verify(token, &self.refresh_keys(client, cached).await?)?,
                verified => verified?,
            },
            None => {
                Claims::parse(body).ok_or_else(|| SetupError::Userinfo("it is neither JSON nor a token".to_owned()))?
            }
        };
        // Claims of another subject must not be used (OpenID Connect Core, section 5.3.2).
        if userinfo.text("sub").is_none() || userinfo.text("sub") != claims.text("sub") {
            let reason = "the userinfo endpoint returned another subject than the ID token";
            return Err(ProviderError::Refused(reason.to_owned()));
        }
        if userinfo.text("iss").is_some_and(|issuer| issuer != self.config.issuer) {
            return Err(ProviderError::Refused("the userinfo endpoint returned another issuer".to_owned()));
        }
        Ok(userinfo)
    }

    /// The metadata from the cache, fetched if missing or stale.
    async fn cached_metadata(&self, client: &ProviderClient<'_>) -> Result<Arc<CachedMetadata>, ProviderError> {
        let mut cache = self.cache.lock().await;
        let now = self.clock.now();
        if let Some(cached) =
            cache.as_ref().filter(|cached| cached.fetched_at.plus_seconds(METADATA_MAX_AGE_SECONDS) > now)
        {
            return Ok(cached.clone());
        }
        let metadata = Metadata::fetch(client, &self.config.issuer).await?;
        let keys = metadata.fetch_keys(client).await?;
        let origin = metadata.authorization.origin().ascii_serialization();
        *self.origin.write().unwrap_or_else(PoisonError::into_inner) = Some(origin);
        let cached =
            Arc::new(CachedMetadata { metadata: Arc::new(metadata), keys, fetched_at: now, keys_refreshed_at: None });
        *cache = Some(cached.clone());
        Ok(cached)
    }

    /// The key set after a refresh, because providers rotate keys. `tried` lacks the signing key. Refreshes are
    /// rate-limited, so that a provider with invalid tokens is not asked for each of them.
    async fn refresh_keys(&self, client: &ProviderClient<'_>, tried: &CachedMetadata) -> Result<Keys, ProviderError> {
        let mut cache = self.cache.lock().await;
        let now = self.clock.now();
        if let Some(cached) = cache
            .as_ref()
            .filter(|cached| cached.fetched_at > tried.fetched_at || cached.keys_refreshed_at > tried.keys_refreshed_at)
        {
            // A concurrent request has refreshed it in the meantime.
            return Ok(cached.keys.clone());
        }
        if tried.keys_refreshed_at.is_some_and(|at| at.plus_seconds(KEY_REFRESH_INTERVAL_SECONDS) > now) {
            return Err(SetupError::UnknownKey.into());
        }
        let cached = |keys| {
            Arc::new(CachedMetadata {
                metadata: tried.metadata.clone(),
                keys,
                fetched_at: tried.fetched_at,
                keys_refreshed_at: Some(now),
            })
        };
        let fetched = tried.metadata.fetch_keys(client).await;
        match &fetched {
            Ok(keys) => *cache = Some(cached(keys.clone())),
            // Transient: the next request tries again.
            Err(ProviderError::Unavailable(_)) => {}
            // Permanent: not retried until the interval is over. The cached keys may still be right for other tokens.
            Err(_) => *cache = Some(cached(tried.keys.clone())),
        }
        fetched
    }
}

/// Parses the response of the token endpoint. Only the needed fields are read, so an odd value elsewhere does not
/// matter.
fn parse_token_response(response: &HttpResponse) -> Result<Claims, ProviderError> {
    let body = Claims::parse(response.body());
    if let Some(error) = body.as_ref().and_then(|body| body.text("error")) {
        // Only the error code: the description is text of the provider.
        let kind: String = error.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(40).collect();
        return Err(match kind.as_str() {
            "temporarily_unavailable" | "server_error" | "slow_down" => {
                ProviderError::Unavailable(format!("the token endpoint returned {kind}"))
            }
            // The code is expired, used or unknown.
            "invalid_grant" => ProviderError::Refused(format!("the provider refused the code: {kind}")),
            _ => SetupError::Client(kind).into(),
        });
    }
    success_body(response).map_err(|error| error.into_provider_error(SetupError::Client))?;
    body.ok_or_else(|| SetupError::Token("it is not JSON").into())
}
