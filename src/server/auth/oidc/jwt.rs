//! JSON Web Tokens (RFC 7515, RFC 7519): verifies the signature and reads the claims.
//!
//! `openidconnect` checks the signature. Its claim parsing is not used: it rejects a whole token for one claim in an
//! unusual form that is not needed here.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeySet, JsonWebKeyUse, JwsSigningAlgorithm, SignatureVerificationError,
    core::{CoreJsonWebKey, CoreJwsSigningAlgorithm as Algorithm},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::error::{SetupError, TokenError};

/// The key set of a provider. Keys that cannot be parsed are skipped.
pub(super) type Keys = JsonWebKeySet<CoreJsonWebKey>;

/// The end of the year 9999; later timestamps are clamped.
const MAX_SECONDS: i64 = 253_402_300_799;
/// Maximum number of keys to try on a token.
const MAX_TRIED_KEYS: usize = 20;
/// Asymmetric algorithms only. With a shared secret (HMAC), anyone who knows the public key could forge a signature.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// The claims of a token or a userinfo response, by name.
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// Parses claims without a signature: a response that came directly from the provider.
    pub fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Self)
    }

    /// A claim that is present and not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A claim that is a non-empty string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A claim that is a timestamp, in seconds since 1970.
    pub fn seconds(&self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        // Fractions of a second are dropped; a float out of range becomes the nearest integer.
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
        Some(seconds.clamp(0, MAX_SECONDS))
    }
}

/// The header of a token, as far as it is used.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    cty: Option<String>,
    crit: Option<Value>,
}

/// The body as a token, if it looks like a JWT and not like JSON.
pub(super) fn as_jwt(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (text.contains('.') && text.bytes().all(is_part)).then_some(text)
}

/// Verifies the signature of a token and returns its claims.
///
/// # Errors
/// [`TokenError::UnknownKey`] if a newer key may have signed it.
pub(super) fn verify(token: &str, keys: &Keys) -> Result<Claims, TokenError> {
    let parts: Vec<&str> = token.trim().split('.').collect();
    let (header, claims, signature) = match parts[..] {
        [header, claims, signature] => (header, claims, signature),
        [_, _, _, _, _] => return Err(SetupError::Encrypted.into()),
        _ => return Err(TokenError::Invalid("it is not a signed token")),
    };
    let signed = format!("{header}.{claims}");
    let header: Header =
        serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Invalid("its header cannot be read"))?;
    let algorithm = algorithm(&header)?;
    check_signature(keys, header.kid.as_deref(), &algorithm, signed.as_bytes(), &decode(signature)?)?;
    Claims::parse(&decode(claims)?).ok_or(TokenError::Invalid("its claims cannot be read"))
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Invalid("it is not in base64"))
}

/// The signature algorithm in the header, if it is accepted.
fn algorithm(header: &Header) -> Result<Algorithm, TokenError> {
    // Critical extensions that we do not understand (RFC 7515, section 4.1.11), and nested tokens.
    if header.crit.is_some() || header.cty.is_some() {
        return Err(TokenError::Invalid("its header has critical or nested content that is not supported"));
    }
    // A token of another type, such as an access token, is not an ID token.
    let kind = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
    if !matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "jose") {
        return Err(TokenError::Invalid("it is a token of another kind"));
    }
    if header.alg.eq_ignore_ascii_case("none") {
        return Err(TokenError::Invalid("it is not signed"));
    }
    let known = serde_json::from_value(Value::String(header.alg.clone())).ok();
    known.filter(|known| ALGORITHMS.contains(known)).ok_or_else(|| {
        let name: String = header.alg.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        SetupError::Algorithm(name).into()
    })
}

/// Tries the keys that may have signed the token. The key id only selects candidates; the signature decides.
fn check_signature(
    keys: &Keys,
    kid: Option<&str>,
    algorithm: &Algorithm,
    signed: &[u8],
    signature: &[u8],
) -> Result<(), TokenError> {
    // A key without an id may be any.
    let is_named = |key: &CoreJsonWebKey| kid.is_some() && key.key_id().is_some();
    let is_candidate = |key: &&CoreJsonWebKey| {
        supports(key, algorithm) && (!is_named(key) || key.key_id().map(|id| id.as_str()) == kid)
    };
    let candidates: Vec<&CoreJsonWebKey> = keys.keys().iter().filter(is_candidate).take(MAX_TRIED_KEYS).collect();
    if candidates.iter().any(|key| key.verify_signature(algorithm, signed, signature).is_ok()) {
        return Ok(());
    }
    match !candidates.is_empty() && candidates.iter().all(|key| is_named(key)) {
        true => Err(TokenError::Invalid("its signature is wrong")),
        false => Err(TokenError::UnknownKey),
    }
}

/// Whether a key can be used for signatures with this algorithm.
fn supports(key: &CoreJsonWebKey, algorithm: &Algorithm) -> bool {
    key.key_use().is_none_or(JsonWebKeyUse::allows_signature)
        && algorithm.key_type().as_ref() == Some(key.key_type())
        && match key.signing_alg() {
            JsonWebKeyAlgorithm::Unspecified => true,
            JsonWebKeyAlgorithm::Algorithm(known) => known == algorithm,
            JsonWebKeyAlgorithm::Unsupported => false,
        }
}

/// Whether any key of the set could verify a token that is accepted.
pub(super) fn has_usable_key(keys: &Keys) -> bool {
    // An invalid key, or one on an unsupported curve, fails with another error than a wrong signature.
    let works = |key: &CoreJsonWebKey, algorithm| {
        supports(key, algorithm)
            && matches!(key.verify_signature(algorithm, b"", b""), Err(SignatureVerificationError::CryptoError(_)))
    };
    let is_candidate = |key: &&CoreJsonWebKey| ALGORITHMS.iter().any(|algorithm| supports(key, algorithm));
    let candidates = keys.keys().iter().filter(is_candidate).take(MAX_TRIED_KEYS);
    candidates.into_iter().any(|key| ALGORITHMS.iter().any(|algorithm| works(key, algorithm)))
}
