//! Whether an ID token is what it must be, and what it says then.

use std::time::{Duration, UNIX_EPOCH};

use openidconnect::{
    ClaimsVerificationError, ClientId, IssuerUrl, JsonWebKeySet, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKey, CoreJwsSigningAlgorithm as Algorithm},
};

use crate::{
    domain::{Email, Timestamp, is_deceptive, limits, parse_name},
    server::config::IdentityProviderConfig,
};

/// By how much a provider's clock may differ from ours, in seconds.
const LEEWAY: i64 = 60;
/// How old a token may be, in seconds: it is made while we wait for it.
const AGE: i64 = 600;
/// The longest subject, in bytes (OpenID Connect Core, section 2).
const SUBJECT_BYTES: usize = 255;
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

/// For whom a provider vouches.
#[derive(Debug)]
pub(super) struct Vouched {
    /// Who vouches.
    pub issuer: String,
    /// For whom, in the issuer's own terms.
    pub subject: String,
    /// An address that the issuer has verified.
    pub email: Email,
    /// A name to begin with.
    pub name: String,
    /// When they last signed in there, where the issuer says so.
    pub signed_in_at: Option<Timestamp>,
}

/// What is wrong with a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    /// The key that it names is not known.
    #[error("the ID token is signed by a key that the provider does not list")]
    UnknownKey,
    /// The token itself.
    #[error("the ID token is not valid: {0}")]
    Invalid(#[from] ClaimsVerificationError),
    /// It was made for somebody else.
    #[error("the ID token was made for another party")]
    OtherParty,
    /// Its subject is none.
    #[error("the ID token's subject is not one")]
    Subject,
    /// There is no address, or nobody has verified it.
    #[error("the ID token has no verified address")]
    Unverified,
}

/// Checks a token: by whom, for whom, when, in answer to what.
pub(super) fn check(
    token: &CoreIdToken,
    nonce: &Nonce,
    config: &IdentityProviderConfig,
    keys: JsonWebKeySet<CoreJsonWebKey>,
    now: Timestamp,
) -> Result<Vouched, Wrong> {
    let issuer = IssuerUrl::new(config.issuer.clone()).map_err(|_| Wrong::OtherParty)?;
    let client = ClientId::new(config.client_id.clone());
    let seconds = now.micros().div_euclid(1_000_000);
    let earlier = UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds - LEEWAY).unwrap_or(0));
    // Without the secret, so that no signature made with it is ever looked at. Other audiences are refused.
    let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, keys)
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || earlier.into())
        .set_issue_time_verifier_fn(move |issued| {
            let is_new = (-LEEWAY..=AGE).contains(&(seconds - issued.timestamp()));
            if is_new { Ok(()) } else { Err("it was not issued just now".to_owned()) }
        });
    let claims = token.claims(&verifier, nonce).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => Wrong::UnknownKey,
        other => Wrong::Invalid(other),
    })?;
    read(claims, config)
}

fn read(claims: &CoreIdTokenClaims, config: &IdentityProviderConfig) -> Result<Vouched, Wrong> {
    if claims.authorized_party().is_some_and(|party| party.as_str() != config.client_id) {
        return Err(Wrong::OtherParty);
    }
    let subject = claims.subject().as_str();
    if !(1..=SUBJECT_BYTES).contains(&subject.len()) || !subject.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err(Wrong::Subject);
    }
    let given = claims.email().filter(|_| claims.email_verified() == Some(true)).ok_or(Wrong::Unverified)?;
    let email = Email::parse(given.as_str()).map_err(|_| Wrong::Unverified)?;
    let full = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str());
    let name = name(full, &email);
    let signed_in_at = claims.auth_time().map(|at| Timestamp::from_micros(at.timestamp_micros()));
    Ok(Vouched { issuer: config.issuer.clone(), subject: subject.to_owned(), email, name, signed_in_at })
}

/// A name as one could type it: what the provider says, else the beginning of the address, else all of it.
fn name(full: Option<&str>, email: &Email) -> String {
    let clean = |text: &str| text.chars().filter(|c| !is_deceptive(*c)).take(limits::NAME_CHARS).collect::<String>();
    let local = email.given().split('@').next().unwrap_or_default();
    let typed = [full.unwrap_or_default(), local].into_iter().find_map(|text| parse_name(&clean(text)).ok());
    typed.unwrap_or_else(|| clean(email.given()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_11_names_of_providers_cannot_deceive() {
        let email = Email::parse("ada@example.org").expect("an address");
        assert_eq!(name(Some(" Ada\u{202E} Lovelace\n"), &email), "Ada Lovelace");
        assert_eq!(name(Some("\u{200B}"), &email), "ada");
        assert_eq!(name(None, &email), "ada");
        assert_eq!(name(Some(&"x".repeat(500)), &email).len(), limits::NAME_CHARS);
        let admin = Email::parse("admin@example.org").expect("an address");
        assert_eq!(name(Some("Root"), &email), "ada", "row 15");
        assert_eq!(name(Some("Аdmin"), &admin), "admin@example.org");
    }
}
