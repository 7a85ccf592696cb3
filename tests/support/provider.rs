//! An OpenID Connect provider on a free loopback port. It issues the tokens that a test configures, valid or not.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use argon2::password_hash::rand_core::OsRng;
use axum::{
    Form, Json, Router,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use colloquy::server::{clock::Clock, config::IdentityProviderConfig};
use reqwest::redirect::Policy;
use rsa::{Pkcs1v15Sign, RsaPrivateKey, traits::PublicKeyParts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, task::JoinHandle};

pub use self::signing::Signing;
use self::signing::{encode, hmac, key, listed_key, merge, sign_text};

mod signing;

/// The client id of the installation under test; below, its secret.
const CLIENT_ID: &str = "colloquy-test";
const CLIENT_SECRET: &str = "s3cret+of/test";

/// The identity that the provider returns, and how its token is signed.
#[derive(Debug, Clone)]
pub struct TestIdentity {
    /// Merged over the claims of a valid token; `null` removes a claim.
    pub claims: Value,
    /// Merged over the token's header.
    pub header: Value,
    /// How the token is signed.
    pub signed: Signing,
}

/// The fields of a query or a form.
type Fields = HashMap<String, String>;

/// A running provider. It accepts no more connections once it is dropped.
pub struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    address: SocketAddr,
    clock: Mutex<Option<Clock>>,
    identity: Mutex<TestIdentity>,
    key_id: Mutex<String>,
    delay: Mutex<Duration>,
    /// Merged over the discovery document.
    metadata: Mutex<Value>,
    /// Merged over the token response.
    token_response: Mutex<Value>,
    /// The claims of the userinfo endpoint, and whether they are signed.
    userinfo: Mutex<(Value, bool)>,
    /// Status, Content-Type and body that replace the regular response of a path.
    overrides: Mutex<HashMap<&'static str, (u16, &'static str, String)>>,
    /// The authorization request and the identity at that time, by code.
    codes: Mutex<HashMap<String, (Fields, TestIdentity)>>,
    discovery_requests: AtomicUsize,
    key_requests: AtomicUsize,
    token_requests: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Provider {
    /// Starts one on a free port of 127.0.0.1. Its identity is Vera.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port of the loopback device");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            address,
            clock: Mutex::default(),
            identity: Mutex::new(verified_identity("vera-1", "vera@example.org")),
            key_id: Mutex::new("key-1".to_owned()),
            delay: Mutex::default(),
            metadata: Mutex::new(json!({})),
            token_response: Mutex::new(json!({})),
            userinfo: Mutex::new((json!({}), false)),
            overrides: Mutex::default(),
            codes: Mutex::default(),
            discovery_requests: AtomicUsize::default(),
            key_requests: AtomicUsize::default(),
            token_requests: AtomicUsize::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .layer(from_fn_with_state(shared.clone(), override_responses))
            .with_state(shared.clone());
        // Serving ends only when the task is aborted.
        let serving = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
        Self { address, shared, serving }
    }

    /// The provider's configuration, under the name `test`.
    pub fn config(&self) -> IdentityProviderConfig {
        IdentityProviderConfig {
            name: "test".to_owned(),
            label: "Test & Sons".to_owned(),
            issuer: self.issuer(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned().into(),
            sign_up: true,
        }
    }

    /// The issuer.
    pub fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Dates tokens by this clock from now on.
    pub fn use_clock(&self, clock: &Clock) {
        *lock(&self.shared.clock) = Some(clock.clone());
    }

    /// Sets the identity of the following sign-ins.
    pub fn set_identity(&self, identity: TestIdentity) {
        *lock(&self.shared.identity) = identity;
    }

    /// Sets the key id under which the key is listed and used.
    pub fn rename_key(&self, id: &str) {
        id.clone_into(&mut lock(&self.shared.key_id));
    }

    /// Merges this over the discovery document; `null` removes an entry.
    pub fn set_metadata(&self, metadata: Value) {
        *lock(&self.shared.metadata) = metadata;
    }

    /// Merges this over a valid token response; `null` removes a field.
    pub fn set_token_response(&self, answer: Value) {
        *lock(&self.shared.token_response) = answer;
    }

    /// Adds a userinfo endpoint that returns these claims, signed or not.
    pub fn set_userinfo(&self, claims: Value, signed: bool) {
        *lock(&self.shared.userinfo) = (claims, signed);
        self.set_metadata(json!({ "userinfo_endpoint": format!("{}/userinfo", self.issuer()) }));
    }

    /// Replaces the response of a path.
    pub fn override_response(&self, path: &'static str, (status, kind, body): (u16, &'static str, &str)) {
        lock(&self.shared.overrides).insert(path, (status, kind, body.to_owned()));
    }

    /// Restores the regular responses of all paths.
    pub fn clear_overrides(&self) {
        lock(&self.shared.overrides).clear();
    }

    /// The key as it is listed in the key set.
    pub fn key(&self) -> Value {
        listed_key(&lock(&self.shared.key_id))
    }

    /// The number of requests for the key set.
    pub fn key_requests(&self) -> usize {
        self.shared.key_requests.load(Ordering::Relaxed)
    }

    /// Delays all responses except the authorization endpoint's.
    pub fn delay(&self, delay: Duration) {
        *lock(&self.shared.delay) = delay;
    }

    /// The number of requests for the discovery document.
    pub fn discovery_requests(&self) -> usize {
        self.shared.discovery_requests.load(Ordering::Relaxed)
    }

    /// The number of token requests.
    pub fn token_requests(&self) -> usize {
        self.shared.token_requests.load(Ordering::Relaxed)
    }

    /// Opens the authorization address as a browser does, and returns the path and query of the redirect back.
    pub async fn authorize(&self, address: &str) -> String {
        let client = super::http_client().redirect(Policy::none()).build().expect("a client");
        let answer = client.get(address).send().await.expect("an answer of the provider");
        assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap_or_default());
        let back = answer.headers()[header::LOCATION].to_str().expect("an address").to_owned();
        back.strip_prefix("http://127.0.0.1:3000").expect("the configured origin").to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// An identity with a verified address and a valid token.
pub fn verified_identity(subject: &str, email: &str) -> TestIdentity {
    let claims = json!({ "sub": subject, "email": email, "email_verified": true, "name": "Vera" });
    TestIdentity { claims, header: json!({}), signed: Signing::Valid }
}

async fn wait(shared: &Shared) {
    let delay = *lock(&shared.delay);
    tokio::time::sleep(delay).await;
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.discovery_requests.fetch_add(1, Ordering::Relaxed);
    wait(&shared).await;
    let issuer = format!("http://{}", shared.address);
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // More than the application accepts.
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
    });
    merge(&mut metadata, &lock(&shared.metadata));
    Json(metadata)
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    wait(&shared).await;
    Json(json!({ "keys": [listed_key(&lock(&shared.key_id))] }))
}

async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    wait(&shared).await;
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != "Bearer a") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (claims, signed) = lock(&shared.userinfo).clone();
    match signed {
        true => {
            ([(header::CONTENT_TYPE, "application/jwt")], sign_text(&lock(&shared.key_id), &claims)).into_response()
        }
        false => Json(claims).into_response(),
    }
}

/// Counts requests, and returns a test's response instead of the regular one.
async fn override_responses(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/keys" {
        shared.key_requests.fetch_add(1, Ordering::Relaxed);
    }
    let replacement = lock(&shared.overrides).get(request.uri().path()).cloned();
    match replacement {
        Some((status, kind, body)) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        None => next.run(request).await,
    }
}

/// Redirects back immediately, without asking the user.
async fn authorize(State(shared): State<Arc<Shared>>, Query(request): Query<Fields>) -> Response {
    let get = |name: &str| request.get(name).map_or("", String::as_str);
    let fits = get("response_type") == "code"
        && get("client_id") == CLIENT_ID
        && get("code_challenge_method") == "S256"
        && get("scope").split(' ').any(|scope| scope == "openid")
        && get("nonce").len() >= 32
        && get("state").len() >= 32;
    if !fits {
        return (StatusCode::BAD_REQUEST, format!("{request:?}")).into_response();
    }
    let mut codes = lock(&shared.codes);
    let code = format!("code-{}", codes.len() + 1);
    let back = format!("{}?code={code}&state={}", get("redirect_uri"), get("state"));
    codes.insert(code, (request, lock(&shared.identity).clone()));
    (StatusCode::FOUND, [(header::LOCATION, back)]).into_response()
}

async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    shared.token_requests.fetch_add(1, Ordering::Relaxed);
    wait(&shared).await;
    let get = |name: &str| form.get(name).map_or("", String::as_str);
    // RFC 6749, section 2.3.1: both are encoded before they are joined.
    let secret = CLIENT_SECRET.replace('+', "%2B").replace('/', "%2F");
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{secret}")));
    let request = lock(&shared.codes).remove(get("code"));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier")));
    let in_body = lock(&shared.metadata)["token_endpoint_auth_methods_supported"] == json!(["client_secret_post"]);
    let knows_secret = match in_body {
        true => get("client_id") == CLIENT_ID && get("client_secret") == CLIENT_SECRET,
        false => headers.get(header::AUTHORIZATION).is_some_and(|value| value == &basic),
    };
    let (nonce, again, identity) = match request {
        Some((request, identity))
            if request["code_challenge"] == challenge
                && request["redirect_uri"] == get("redirect_uri")
                && get("grant_type") == "authorization_code"
                && knows_secret =>
        {
            (request["nonce"].clone(), request.contains_key("max_age"), identity)
        }
        _ => return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
    };
    let id_token = sign(&shared, &nonce, again, identity);
    let mut answer = json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": id_token });
    merge(&mut answer, &lock(&shared.token_response));
    Json(answer).into_response()
}

/// Signs an identity token. `again`: the request had `max_age`, so the token gets `auth_time`.
fn sign(shared: &Shared, nonce: &str, again: bool, identity: TestIdentity) -> String {
    let TestIdentity { claims: patch, header: header_patch, signed } = identity;
    let now = lock(&shared.clock).clone().unwrap_or_default().now().micros() / 1_000_000;
    let issuer = format!("http://{}", shared.address);
    let mut claims = json!({ "iss": issuer, "aud": CLIENT_ID, "nonce": nonce, "iat": now, "exp": now + 300 });
    if again {
        claims["auth_time"] = json!(now);
    }
    merge(&mut claims, &patch);
    // "+n" and "-n" are offsets from now, in seconds.
    for name in ["iat", "exp", "auth_time", "nbf"] {
        if let Some(seconds) = claims[name].as_str().and_then(|text| text.parse::<i64>().ok()) {
            claims[name] = json!(now + seconds);
        }
    }
    let algorithm = match signed {
        Signing::Unsigned => "none",
        Signing::WithPublicKey | Signing::WithClientSecret => "HS256",
        _ => "RS256",
    };
    let mut header = json!({ "alg": algorithm, "typ": "JWT", "kid": *lock(&shared.key_id) });
    merge(&mut header, &header_patch);
    let text = format!("{}.{}", encode(&header), encode(&claims));
    let sign_with =
        |key: &RsaPrivateKey| key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&text)).expect("a signature");
    let signature = match signed {
        Signing::Unsigned => Vec::new(),
        Signing::OtherKey => sign_with(&RsaPrivateKey::new(&mut OsRng, 2_048).expect("a key")),
        Signing::WithPublicKey => hmac(&key().n().to_bytes_be(), text.as_bytes()),
        Signing::WithClientSecret => hmac(CLIENT_SECRET.as_bytes(), text.as_bytes()),
        Signing::Valid | Signing::Tampered => sign_with(key()),
    };
    let text = match signed {
        Signing::Tampered => {
            claims["sub"] = json!("somebody-else");
            format!("{}.{}", encode(&header), encode(&claims))
        }
        _ => text,
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}
