//! One provider: what it says about itself, where people go, and what it vouches for.

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
    fault::{ProviderError, Setup, Wrong},
    fetch::Inquiry,
    jwt::{self, Claims, Keys},
    metadata::{Metadata, succeeded},
    token::{self, IdTokenClaims},
};
use crate::{
    domain::{IdentityProvider, Timestamp},
    server::{
        clock::Clock,
        config::IdentityProviderConfig,
        egress::{Egress, is_safe},
    },
};

/// For all that a provider is asked in one request of a person. Half a second less than is promised, for ourselves.
const PATIENCE: Duration = Duration::from_millis(4_500);
/// How long what a provider says about itself is believed, in seconds.
const FRESH_SECONDS: i64 = 3_600;
/// How long keys that were asked for once more are not asked for again, in seconds.
const RENEW_SECONDS: i64 = 30;
/// How long a sign-in waits for a name that the ID token leaves out.
const FOR_A_NAME: Duration = Duration::from_millis(1_500);
/// What we want to know: who somebody is, their address and their name.
const SCOPES: &str = "openid email profile";

/// A provider.
#[derive(Debug)]
pub(super) struct Provider {
    pub config: IdentityProviderConfig,
    redirect: String,
    egress: Egress,
    clock: Clock,
    /// Held while the provider is asked, so that it is asked once for all who wait.
    known: Mutex<Option<Arc<Known>>>,
    /// The origin to which people are sent, as far as it was ever known.
    origin: RwLock<Option<String>>,
}

/// What a provider said about itself, with its keys.
#[derive(Debug)]
struct Known {
    metadata: Arc<Metadata>,
    keys: Keys,
    since: Timestamp,
    /// When the keys were asked for once more.
    renewed: Option<Timestamp>,
}

impl Provider {
    /// `origin` is this installation's.
    pub fn new(config: IdentityProviderConfig, origin: &str, egress: Egress, clock: Clock) -> Self {
        let redirect = format!("{origin}/auth/{}/callback", config.name);
        // A good guess until it is asked, and right for most.
        let origin = Url::parse(&config.issuer).ok().filter(is_safe).map(|url| url.origin().ascii_serialization());
        Self { config, redirect, egress, clock, known: Mutex::default(), origin: RwLock::new(origin) }
    }

    fn inquiry(&self) -> Inquiry<'_> {
        Inquiry::new(&self.egress, &self.config.issuer, PATIENCE)
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
        let inquiry = self.inquiry();
        let known = inquiry.in_time(self.known(&inquiry)).await?;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.to_owned()));
        let mut address = known.metadata.authorization.clone();
        let mut query = address.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", &self.config.client_id);
        query.append_pair("redirect_uri", &self.redirect).append_pair("scope", SCOPES);
        query.append_pair("state", &state).append_pair("nonce", &nonce);
        query.append_pair("code_challenge", challenge.as_str()).append_pair("code_challenge_method", "S256");
        if again {
            query.append_pair("max_age", "0");
        }
        drop(query);
        Ok(address)
    }

    /// For whom the provider vouches with this code.
    pub async fn claims(&self, code: &str, nonce: &str, verifier: &str) -> Result<IdTokenClaims, ProviderError> {
        let inquiry = self.inquiry();
        let claims = async {
            let known = self.known(&inquiry).await?;
            let request = self.exchange_request(&known.metadata, code, verifier)?;
            let answer = read_exchange(&inquiry.fetch(request).await?)?;
            let id_token =
                answer.text("id_token").ok_or(Setup::Token("it holds no ID token; allow the scope `openid`"))?;
            let claims = self.checked(&inquiry, &known, id_token, nonce).await?;
            let more = self.ask_more(&inquiry, &known, &claims, answer.text("access_token")).await?;
            token::read(&claims, more.as_ref(), &self.config.issuer)
        };
        inquiry.in_time(claims).await
    }

    /// Asks the provider about itself, for later.
    pub async fn prepare(&self) -> Result<(), ProviderError> {
        let inquiry = self.inquiry();
        inquiry.in_time(self.known(&inquiry)).await.map(drop)
    }

    /// The question what the provider gives for a code.
    fn exchange_request(&self, metadata: &Metadata, code: &str, verifier: &str) -> Result<HttpRequest, ProviderError> {
        let (id, secret) = (self.config.client_id.as_str(), self.config.client_secret.expose_secret());
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code").append_pair("code", code);
        form.append_pair("redirect_uri", &self.redirect).append_pair("code_verifier", verifier);
        let mut request = Request::builder().method(Method::POST).uri(metadata.token.as_str());
        if metadata.takes_basic {
            // Both are encoded before they are put together (RFC 6749, section 2.3.1).
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

    /// What a token says, if it is what it must be.
    async fn checked(
        &self,
        inquiry: &Inquiry<'_>,
        known: &Known,
        token: &str,
        nonce: &str,
    ) -> Result<Claims, ProviderError> {
        let check = |keys: &Keys| token::check(token, nonce, &self.config, keys, self.clock.now());
        match check(&known.keys) {
            Err(Wrong::UnknownKey) => Ok(check(&self.new_keys(inquiry, known).await?)?),
            checked => Ok(checked?),
        }
    }

    /// What the provider says of somebody beside the ID token: asked where the token leaves something out.
    async fn ask_more(
        &self,
        inquiry: &Inquiry<'_>,
        known: &Known,
        claims: &Claims,
        access_token: Option<&str>,
    ) -> Result<Option<Claims>, ProviderError> {
        let (Some(endpoint), Some(access_token)) = (&known.metadata.userinfo, access_token) else { return Ok(None) };
        if token::address(claims, &self.config.issuer)?.is_none() {
            return self.userinfo(inquiry, known, (endpoint, access_token), claims).await.map(Some);
        }
        if claims.text("name").is_some() {
            return Ok(None);
        }
        // Nobody is kept out for want of a name.
        let inquiry = inquiry.within(FOR_A_NAME);
        Ok(inquiry.in_time(self.userinfo(&inquiry, known, (endpoint, access_token), claims)).await.ok())
    }

    async fn userinfo(
        &self,
        inquiry: &Inquiry<'_>,
        known: &Known,
        (endpoint, access_token): (&Url, &str),
        claims: &Claims,
    ) -> Result<Claims, ProviderError> {
        let answer = inquiry.get(endpoint.as_str(), Some(access_token)).await?;
        let body = succeeded(&answer).map_err(|problem| problem.or(Setup::Userinfo))?;
        // Providers may sign it (OpenID Connect Core, section 5.3.2).
        let more = match jwt::looks_like_one(body) {
            Some(token) => match jwt::verify(token, &known.keys) {
                // The key may be newer than those that are known.
                Err(Wrong::UnknownKey) => jwt::verify(token, &self.new_keys(inquiry, known).await?)?,
                verified => verified?,
            },
            None => Claims::read(body).ok_or_else(|| Setup::Userinfo("it is neither JSON nor a token".to_owned()))?,
        };
        // Of somebody else, nothing may be used (OpenID Connect Core, section 5.3.2).
        if more.text("sub").is_none() || more.text("sub") != claims.text("sub") {
            let reason = "the userinfo endpoint speaks of somebody else than the ID token";
            return Err(ProviderError::Refused(reason.to_owned()));
        }
        if more.text("iss").is_some_and(|issuer| issuer != self.config.issuer) {
            return Err(ProviderError::Refused("the userinfo endpoint speaks for another issuer".to_owned()));
        }
        Ok(more)
    }

    /// What the provider says about itself; asked where it is not known or too old.
    async fn known(&self, inquiry: &Inquiry<'_>) -> Result<Arc<Known>, ProviderError> {
        let mut kept = self.known.lock().await;
        let now = self.clock.now();
        if let Some(known) = kept.as_ref().filter(|known| known.since.plus_seconds(FRESH_SECONDS) > now) {
            return Ok(known.clone());
        }
        let metadata = Metadata::ask(inquiry, &self.config.issuer).await?;
        let keys = metadata.ask_keys(inquiry).await?;
        let origin = metadata.authorization.origin().ascii_serialization();
        *self.origin.write().unwrap_or_else(PoisonError::into_inner) = Some(origin);
        let known = Arc::new(Known { metadata: Arc::new(metadata), keys, since: now, renewed: None });
        *kept = Some(known.clone());
        Ok(known)
    }

    /// The keys as they are now: providers change them. `tried` are those among which the right one is not. Asked for once
    /// in a while, so that a provider whose tokens never fit is not asked for each of them.
    async fn new_keys(&self, inquiry: &Inquiry<'_>, tried: &Known) -> Result<Keys, ProviderError> {
        let mut kept = self.known.lock().await;
        let now = self.clock.now();
        if let Some(known) = kept.as_ref().filter(|known| known.since > tried.since || known.renewed > tried.renewed) {
            // Somebody else has asked in the meantime.
            return Ok(known.keys.clone());
        }
        if tried.renewed.is_some_and(|at| at.plus_seconds(RENEW_SECONDS) > now) {
            return Err(Setup::UnknownKey.into());
        }
        let known =
            |keys| Arc::new(Known { metadata: tried.metadata.clone(), keys, since: tried.since, renewed: Some(now) });
        let asked = tried.metadata.ask_keys(inquiry).await;
        match &asked {
            Ok(keys) => *kept = Some(known(keys.clone())),
            // It may answer the next one.
            Err(ProviderError::Unavailable(_)) => {}
            // It will say the same for a while; the keys of before may still be right for others.
            Err(_) => *kept = Some(known(tried.keys.clone())),
        }
        asked
    }
}

/// What the provider gives for a code: only what it must be is looked at, so that no other field in an odd form matters.
fn read_exchange(answer: &HttpResponse) -> Result<Claims, ProviderError> {
    let said = Claims::read(answer.body());
    if let Some(error) = said.as_ref().and_then(|said| said.text("error")) {
        // Only the kind: the rest is the provider's own text.
        let kind: String = error.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(40).collect();
        return Err(match kind.as_str() {
            "temporarily_unavailable" | "server_error" | "slow_down" => {
                ProviderError::Unavailable(format!("the token endpoint answers {kind}"))
            }
            // Too old, used before, or never given.
            "invalid_grant" => ProviderError::Refused(format!("the provider refused the code: {kind}")),
            _ => Setup::Client(kind).into(),
        });
    }
    succeeded(answer).map_err(|problem| problem.or(Setup::Client))?;
    said.ok_or_else(|| Setup::Token("it is not JSON").into())
}
