//! An OpenID Connect provider on a free port of the loopback device. It vouches for whom a test says, truly or not.

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

pub use self::signing::Signed;
use self::signing::{encode, hmac, key, listed_key, put_over, sign_text};

mod signing;

/// The id and the secret of the installation under test.
const CLIENT_ID: &str = "colloquy-test";
const CLIENT_SECRET: &str = "s3cret+of/test";

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
    /// Put over what it gives for a code.
    answer: Mutex<Value>,
    /// What it says at the userinfo endpoint, and whether it signs that.
    more: Mutex<(Value, bool)>,
    /// Status, Content-Type and body in place of what belongs to a path.
    instead: Mutex<HashMap<&'static str, (u16, &'static str, String)>>,
    /// What was asked for and whom it vouched for then, by code.
    codes: Mutex<HashMap<String, (Fields, Plan)>>,
    discovered: AtomicUsize,
    keys: AtomicUsize,
    tokens: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
            answer: Mutex::new(json!({})),
            more: Mutex::new((json!({}), false)),
            instead: Mutex::default(),
            codes: Mutex::default(),
            discovered: AtomicUsize::default(),
            keys: AtomicUsize::default(),
            tokens: AtomicUsize::default(),
        });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .layer(from_fn_with_state(shared.clone(), answer_instead))
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

    /// What it gives for a code from now on, over a good answer; `null` takes a field away.
    pub fn gives(&self, answer: Value) {
        *lock(&self.shared.answer) = answer;
    }

    /// What it says at its userinfo endpoint from now on, signed or not.
    pub fn knows(&self, claims: Value, signed: bool) {
        *lock(&self.shared.more) = (claims, signed);
        self.claim(json!({ "userinfo_endpoint": format!("{}/userinfo", self.issuer()) }));
    }

    /// Answers at a path with this from now on.
    pub fn says_instead(&self, path: &'static str, (status, kind, body): (u16, &'static str, &str)) {
        lock(&self.shared.instead).insert(path, (status, kind, body.to_owned()));
    }

    /// Answers as it should from now on.
    pub fn recovers(&self) {
        lock(&self.shared.instead).clear();
    }

    /// Its key as it lists it.
    pub fn key(&self) -> Value {
        listed_key(&lock(&self.shared.key_id))
    }

    /// How often it was asked for its keys.
    pub fn keys_asked(&self) -> usize {
        self.shared.keys.load(Ordering::Relaxed)
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
    Json(json!({ "keys": [listed_key(&lock(&shared.key_id))] }))
}

async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    wait(&shared).await;
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != "Bearer a") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (claims, signed) = lock(&shared.more).clone();
    match signed {
        true => {
            ([(header::CONTENT_TYPE, "application/jwt")], sign_text(&lock(&shared.key_id), &claims)).into_response()
        }
        false => Json(claims).into_response(),
    }
}

/// Counts, and says what a test wants in place of what is right.
async fn answer_instead(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if request.uri().path() == "/keys" {
        shared.keys.fetch_add(1, Ordering::Relaxed);
    }
    let instead = lock(&shared.instead).get(request.uri().path()).cloned();
    match instead {
        Some((status, kind, body)) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(header::CONTENT_TYPE, kind)], body).into_response()
        }
        None => next.run(request).await,
    }
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
    let (nonce, again, plan) = match asked {
        Some((asked, plan))
            if asked["code_challenge"] == challenge
                && asked["redirect_uri"] == get("redirect_uri")
                && get("grant_type") == "authorization_code"
                && knows_secret =>
        {
            (asked["nonce"].clone(), asked.contains_key("max_age"), plan)
        }
        _ => return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
    };
    let id_token = sign(&shared, &nonce, again, plan);
    let mut answer = json!({ "access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": id_token });
    put_over(&mut answer, &lock(&shared.answer));
    Json(answer).into_response()
}

/// `again`: the person was asked to sign in once more, and did.
fn sign(shared: &Shared, nonce: &str, again: bool, plan: Plan) -> String {
    let Plan { claims: patch, header: header_patch, signed } = plan;
    let now = lock(&shared.clock).clone().unwrap_or_default().now().micros() / 1_000_000;
    let issuer = format!("http://{}", shared.address);
    let mut claims = json!({ "iss": issuer, "aud": CLIENT_ID, "nonce": nonce, "iat": now, "exp": now + 300 });
    if again {
        claims["auth_time"] = json!(now);
    }
    put_over(&mut claims, &patch);
    // "+n" and "-n" are seconds from now.
    for name in ["iat", "exp", "auth_time", "nbf"] {
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
