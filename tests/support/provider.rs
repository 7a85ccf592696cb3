//! An OpenID Connect provider on a free port of the loopback device. It vouches for whom a test says, truly or not.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use argon2::password_hash::rand_core::OsRng;
use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use colloquy::server::{clock::Clock, config::IdentityProviderConfig};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, traits::PublicKeyParts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, task::JoinHandle};

/// The id and the secret of the installation under test.
const CLIENT_ID: &str = "colloquy-test";
const CLIENT_SECRET: &str = "s3cret+of/test";

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// As it should be.
    Well,
    /// Not at all: `alg` is `none`.
    Not,
    /// By a key of somebody else, under the name of the right one.
    ByAnother,
    /// With the public key as a shared secret.
    WithPublicKey,
    /// With the client's secret, as some providers do.
    WithClientSecret,
    /// By the right key, over other claims.
    ThenChanged,
}

/// Whom the provider vouches for, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Put over the claims that a good token has; `null` takes a claim away.
    pub claims: Value,
    /// Put over the header.
    pub header: Value,
    /// How it is signed.
    pub signed: Signed,
}

/// The fields of a query or a form.
type Fields = HashMap<String, String>;

/// A running provider; it takes no more connections once it is dropped.
pub struct Provider {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    address: SocketAddr,
    clock: Mutex<Option<Clock>>,
    plan: Mutex<Plan>,
    key_id: Mutex<String>,
    delay: Mutex<Duration>,
    /// Put over what it says about itself.
    metadata: Mutex<Value>,
    /// What was asked for and whom it vouched for then, by code.
    codes: Mutex<HashMap<String, (Fields, Plan)>>,
    discovered: AtomicUsize,
    tokens: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The provider's key; made once in each process of tests.
fn key() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| RsaPrivateKey::new(&mut OsRng, 2_048).expect("a key"))
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn put_over(base: &mut Value, patch: &Value) {
    for (name, value) in patch.as_object().expect("an object") {
        match value {
            Value::Null => drop(base.as_object_mut().expect("an object").remove(name)),
            value => base[name] = value.clone(),
        }
    }
}

/// HMAC with SHA-256 (RFC 2104).
fn hmac(secret: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if secret.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], text].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner[..]].concat()).to_vec()
}

impl Provider {
    /// Starts one on a free port of 127.0.0.1. It vouches for Vera.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port of the loopback device");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            address,
            clock: Mutex::default(),
            plan: Mutex::new(person("vera-1", "vera@example.org")),
            key_id: Mutex::new("key-1".to_owned()),
            delay: Mutex::default(),
            metadata: Mutex::new(json!({})),
            codes: Mutex::default(),
            discovered: AtomicUsize::default(),
            tokens: AtomicUsize::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(shared.clone());
        // Serving ends only with the task.
        let serving = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
        Self { address, shared, serving }
    }

    /// What to configure, under the name `test`.
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

    /// The clock after which tokens are dated from now on.
    pub fn keep_time_by(&self, clock: &Clock) {
        *lock(&self.shared.clock) = Some(clock.clone());
    }

    /// Whom those who come from now on are, and how it vouches for them.
    pub fn vouch(&self, plan: Plan) {
        *lock(&self.shared.plan) = plan;
    }

    /// Under which name its key is listed and used from now on.
    pub fn rename_key(&self, id: &str) {
        id.clone_into(&mut lock(&self.shared.key_id));
    }

    /// What it says about itself from now on, over what is true; `null` takes an entry away.
    pub fn claim(&self, metadata: Value) {
        *lock(&self.shared.metadata) = metadata;
    }

    /// How long everything takes from now on, but for people.
    pub fn delay(&self, delay: Duration) {
        *lock(&self.shared.delay) = delay;
    }

    /// How often it was asked about itself.
    pub fn discovered(&self) -> usize {
        self.shared.discovered.load(Ordering::Relaxed)
    }

    /// How often it was asked for a token.
    pub fn tokens(&self) -> usize {
        self.shared.tokens.load(Ordering::Relaxed)
    }

    /// What a browser does that is sent here: agrees, and is sent back. Gives the path with its query.
    pub async fn agree(&self, address: &str) -> String {
        let client = colloquy::server::llm::openai::client();
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

/// Somebody with a verified address, truly.
pub fn person(subject: &str, email: &str) -> Plan {
    let claims = json!({ "sub": subject, "email": email, "email_verified": true, "name": "Vera" });
    Plan { claims, header: json!({}), signed: Signed::Well }
}

async fn wait(shared: &Shared) {
    let delay = *lock(&shared.delay);
    tokio::time::sleep(delay).await;
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.discovered.fetch_add(1, Ordering::Relaxed);
    wait(&shared).await;
    let issuer = format!("http://{}", shared.address);
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // More than we would ever take.
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
    });
    put_over(&mut metadata, &lock(&shared.metadata));
    Json(metadata)
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    wait(&shared).await;
    let number = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
    let id = lock(&shared.key_id).clone();
    Json(
        json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": number(key().n()), "e": number(key().e()) }] }),
    )
}

/// The person agrees at once.
async fn authorize(State(shared): State<Arc<Shared>>, Query(asked): Query<Fields>) -> Response {
    let get = |name: &str| asked.get(name).map_or("", String::as_str);
    let fits = get("response_type") == "code"
        && get("client_id") == CLIENT_ID
        && get("code_challenge_method") == "S256"
        && get("scope").split(' ').any(|scope| scope == "openid")
        && get("nonce").len() >= 32
        && get("state").len() >= 32;
    if !fits {
        return (StatusCode::BAD_REQUEST, format!("{asked:?}")).into_response();
    }
    let mut codes = lock(&shared.codes);
    let code = format!("code-{}", codes.len() + 1);
    let back = format!("{}?code={code}&state={}", get("redirect_uri"), get("state"));
    codes.insert(code, (asked, lock(&shared.plan).clone()));
    (StatusCode::FOUND, [(header::LOCATION, back)]).into_response()
}

async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    shared.tokens.fetch_add(1, Ordering::Relaxed);
    wait(&shared).await;
    let get = |name: &str| form.get(name).map_or("", String::as_str);
    // As RFC 6749, section 2.3.1, has it: both are encoded before they are put together.
    let secret = CLIENT_SECRET.replace('+', "%2B").replace('/', "%2F");
    let basic = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{secret}")));
    let asked = lock(&shared.codes).remove(get("code"));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier")));
    let in_body = lock(&shared.metadata)["token_endpoint_auth_methods_supported"] == json!(["client_secret_post"]);
    let knows_secret = match in_body {
        true => get("client_id") == CLIENT_ID && get("client_secret") == CLIENT_SECRET,
        false => headers.get(header::AUTHORIZATION).is_some_and(|value| value == &basic),
    };
    let (nonce, plan) = match asked {
        Some((asked, plan))
            if asked["code_challenge"] == challenge
                && asked["redirect_uri"] == get("redirect_uri")
                && get("grant_type") == "authorization_code"
                && knows_secret =>
        {
            (asked["nonce"].clone(), plan)
        }
        _ => return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
    };
    let id_token = sign(&shared, &nonce, plan);
    Json(json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": id_token })).into_response()
}

fn sign(shared: &Shared, nonce: &str, plan: Plan) -> String {
    let Plan { claims: patch, header: header_patch, signed } = plan;
    let now = lock(&shared.clock).clone().unwrap_or_default().now().micros() / 1_000_000;
    let issuer = format!("http://{}", shared.address);
    let mut claims = json!({ "iss": issuer, "aud": CLIENT_ID, "nonce": nonce, "iat": now, "exp": now + 300 });
    put_over(&mut claims, &patch);
    // "+n" and "-n" are seconds from now.
    for name in ["iat", "exp"] {
        if let Some(seconds) = claims[name].as_str().and_then(|text| text.parse::<i64>().ok()) {
            claims[name] = json!(now + seconds);
        }
    }
    let algorithm = match signed {
        Signed::Not => "none",
        Signed::WithPublicKey | Signed::WithClientSecret => "HS256",
        _ => "RS256",
    };
    let mut header = json!({ "alg": algorithm, "typ": "JWT", "kid": *lock(&shared.key_id) });
    put_over(&mut header, &header_patch);
    let text = format!("{}.{}", encode(&header), encode(&claims));
    let by =
        |key: &RsaPrivateKey| key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&text)).expect("a signature");
    let signature = match signed {
        Signed::Not => Vec::new(),
        Signed::ByAnother => by(&RsaPrivateKey::new(&mut OsRng, 2_048).expect("a key")),
        Signed::WithPublicKey => hmac(&key().n().to_bytes_be(), text.as_bytes()),
        Signed::WithClientSecret => hmac(CLIENT_SECRET.as_bytes(), text.as_bytes()),
        Signed::Well | Signed::ThenChanged => by(key()),
    };
    let text = match signed {
        Signed::ThenChanged => {
            claims["sub"] = json!("somebody-else");
            format!("{}.{}", encode(&header), encode(&claims))
        }
        _ => text,
    };
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}
