//! The provider's key, and tokens signed with it or forged.

use std::sync::OnceLock;

use argon2::password_hash::rand_core::OsRng;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{Pkcs1v15Sign, RsaPrivateKey, traits::PublicKeyParts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// Correctly.
    Valid,
    /// Not signed: `alg` is `none`.
    Unsigned,
    /// By another key, under the key id of the right one.
    OtherKey,
    /// By HMAC with the public key as the secret.
    WithPublicKey,
    /// By HMAC with the client secret, as some providers do.
    WithClientSecret,
    /// By the right key, with the claims changed afterwards.
    Tampered,
}

/// The provider's key, generated once in each test process.
pub(super) fn key() -> &'static RsaPrivateKey {
    static KEY: OnceLock<RsaPrivateKey> = OnceLock::new();
    KEY.get_or_init(|| RsaPrivateKey::new(&mut OsRng, 2_048).expect("a key"))
}

pub(super) fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

pub(super) fn merge(base: &mut Value, patch: &Value) {
    for (name, value) in patch.as_object().expect("an object") {
        match value {
            Value::Null => drop(base.as_object_mut().expect("an object").remove(name)),
            value => base[name] = value.clone(),
        }
    }
}

/// HMAC with SHA-256 (RFC 2104).
pub(super) fn hmac(secret: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if secret.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], text].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner[..]].concat()).to_vec()
}

/// The key as a JSON Web Key with this key id.
pub(super) fn listed_key(id: &str) -> Value {
    let number = |number: &rsa::BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": number(key().n()), "e": number(key().e()) })
}

/// A correctly signed token of these claims.
pub(super) fn sign_text(key_id: &str, claims: &Value) -> String {
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": key_id });
    let text = format!("{}.{}", encode(&header), encode(claims));
    let signature = key().sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(&text)).expect("a signature");
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}
