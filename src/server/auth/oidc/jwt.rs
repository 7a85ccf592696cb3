//! Signed tokens (RFC 7515, RFC 7519): whether a key of the provider signed one, and what it says then.
//!
//! The signature is checked by `openidconnect`, whose own reading of claims is not used: it refuses a whole token for one
//! claim in an odd form that nobody here looks at.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeySet, JsonWebKeyUse, JwsSigningAlgorithm, SignatureVerificationError,
    core::{CoreJsonWebKey, CoreJwsSigningAlgorithm as Algorithm},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::fault::{Setup, Wrong};

/// The keys of a provider; those that cannot be read are left out.
pub(super) type Keys = JsonWebKeySet<CoreJsonWebKey>;

/// The end of the year 9999: no moment is later.
const LAST_SECOND: i64 = 253_402_300_799;
/// The most keys that are tried on one token.
const TRIED_KEYS: usize = 20;
/// Signatures that only the holder of a private key can make. Those with a shared secret are not among them:
/// whoever knows the public key could make one.
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

/// What a provider says of somebody, by name.
#[derive(Debug)]
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// Reads claims without a signature: the answer to a request that went to the provider itself.
    pub fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Self)
    }

    /// A claim that is there and not null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A claim that is a text, and not an empty one.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A claim that is a moment, in seconds since 1970.
    pub fn seconds(&self, name: &str) -> Option<i64> {
        let value = self.get(name)?;
        // Fractions of a second do not count; a float that is out of range becomes the nearest integer.
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
        Some(seconds.clamp(0, LAST_SECOND))
    }
}

/// The head of a token, as far as it counts.
#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    cty: Option<String>,
    crit: Option<Value>,
}

/// A body that is a token and no JSON.
pub(super) fn looks_like_one(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (text.contains('.') && text.bytes().all(is_part)).then_some(text)
}

/// What a token says, if one of these keys signed it.
///
/// # Errors
/// [`Wrong::UnknownKey`] where it may be signed by a key that is new.
pub(super) fn verify(token: &str, keys: &Keys) -> Result<Claims, Wrong> {
    let parts: Vec<&str> = token.trim().split('.').collect();
    let (head, claims, signature) = match parts[..] {
        [head, claims, signature] => (head, claims, signature),
        [_, _, _, _, _] => return Err(Setup::Encrypted.into()),
        _ => return Err(Wrong::Invalid("it is no signed token")),
    };
    let signed = format!("{head}.{claims}");
    let head: Head = serde_json::from_slice(&decode(head)?).map_err(|_| Wrong::Invalid("its head cannot be read"))?;
    let algorithm = algorithm(&head)?;
    check_signature(keys, head.kid.as_deref(), &algorithm, signed.as_bytes(), &decode(signature)?)?;
    Claims::read(&decode(claims)?).ok_or(Wrong::Invalid("its claims cannot be read"))
}

fn decode(part: &str) -> Result<Vec<u8>, Wrong> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Wrong::Invalid("it is not in base64"))
}

/// How a token claims to be signed, where that is acceptable.
fn algorithm(head: &Head) -> Result<Algorithm, Wrong> {
    // What must be understood and is not (RFC 7515, section 4.1.11), and tokens within tokens.
    if head.crit.is_some() || head.cty.is_some() {
        return Err(Wrong::Invalid("its head asks for more than is understood here"));
    }
    // A token of another kind, such as an access token, is none that says who somebody is.
    let kind = head.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
    if !matches!(kind.strip_prefix("application/").unwrap_or(&kind), "jwt" | "jose") {
        return Err(Wrong::Invalid("it is a token of another kind"));
    }
    if head.alg.eq_ignore_ascii_case("none") {
        return Err(Wrong::Invalid("it is not signed"));
    }
    let known = serde_json::from_value(Value::String(head.alg.clone())).ok();
    known.filter(|known| ALGORITHMS.contains(known)).ok_or_else(|| {
        let name: String = head.alg.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        Setup::Algorithm(name).into()
    })
}

/// Tries the keys that may have signed. The name of a key only says which to try: what counts is the signature.
fn check_signature(
    keys: &Keys,
    kid: Option<&str>,
    algorithm: &Algorithm,
    signed: &[u8],
    signature: &[u8],
) -> Result<(), Wrong> {
    // A key without a name may be any.
    let is_named = |key: &CoreJsonWebKey| kid.is_some() && key.key_id().is_some();
    let may_be =
        |key: &&CoreJsonWebKey| fits(key, algorithm) && (!is_named(key) || key.key_id().map(|id| id.as_str()) == kid);
    let tried: Vec<&CoreJsonWebKey> = keys.keys().iter().filter(may_be).take(TRIED_KEYS).collect();
    if tried.iter().any(|key| key.verify_signature(algorithm, signed, signature).is_ok()) {
        return Ok(());
    }
    match !tried.is_empty() && tried.iter().all(|key| is_named(key)) {
        true => Err(Wrong::Invalid("its signature is wrong")),
        false => Err(Wrong::UnknownKey),
    }
}

/// Whether a key is for signatures of this kind.
fn fits(key: &CoreJsonWebKey, algorithm: &Algorithm) -> bool {
    key.key_use().is_none_or(JsonWebKeyUse::allows_signature)
        && algorithm.key_type().as_ref() == Some(key.key_type())
        && match key.signing_alg() {
            JsonWebKeyAlgorithm::Unspecified => true,
            JsonWebKeyAlgorithm::Algorithm(known) => known == algorithm,
            JsonWebKeyAlgorithm::Unsupported => false,
        }
}

/// Whether any key of a set could have signed a token that is accepted.
pub(super) fn is_usable(keys: &Keys) -> bool {
    // A key that is none, or on a curve that is not known, fails for another reason than the signature.
    let works = |key: &CoreJsonWebKey, algorithm| {
        fits(key, algorithm)
            && matches!(key.verify_signature(algorithm, b"", b""), Err(SignatureVerificationError::CryptoError(_)))
    };
    let may_be = |key: &&CoreJsonWebKey| ALGORITHMS.iter().any(|algorithm| fits(key, algorithm));
    let tried = keys.keys().iter().filter(may_be).take(TRIED_KEYS);
    tried.into_iter().any(|key| ALGORITHMS.iter().any(|algorithm| works(key, algorithm)))
}
