//! Validates ID tokens and extracts the claims in use.

use serde_json::Value;

use super::{
    error::{ProviderError, SetupError, TokenError},
    jwt::{Claims, Keys, verify},
};
use crate::{
    domain::{Email, Timestamp, limits, strip_invisible},
    server::{config::IdentityProviderConfig, names::parse_name},
};

/// Allowed clock skew between us and the provider, in seconds.
const MAX_CLOCK_SKEW: i64 = 60;
/// Maximum age of an ID token, in seconds. It is issued while we wait for it.
const MAX_TOKEN_AGE: i64 = 600;
/// Maximum length of a subject, in bytes (OpenID Connect Core, section 2).
const MAX_SUBJECT_BYTES: usize = 255;
/// The prefix of Microsoft Entra ID's issuers.
const MICROSOFT_ISSUER_PREFIX: &str = "https://login.microsoftonline.com/";

/// The verified claims about a user.
#[derive(Debug)]
pub(super) struct IdTokenClaims {
    /// The issuer (`iss`).
    pub issuer: String,
    /// The subject (`sub`): the issuer's id of the user.
    pub subject: String,
    /// The address that the issuer has verified.
    pub email: Email,
    /// The initial display name.
    pub name: String,
    /// When the user last signed in at the issuer (`auth_time`), if the token says so.
    pub auth_time: Option<Timestamp>,
}

/// Validates an ID token: signature, issuer, audience, nonce, times and subject. Returns its claims.
pub(super) fn validate(
    token: &str,
    nonce: &str,
    config: &IdentityProviderConfig,
    keys: &Keys,
    now: Timestamp,
) -> Result<Claims, TokenError> {
    let claims = verify(token, keys)?;
    let issuer = claims.text("iss").unwrap_or_default();
    if issuer != config.issuer {
        let (given, configured) = (issuer.chars().take(200).collect(), config.issuer.clone());
        return Err(SetupError::TokenIssuer { given, configured }.into());
    }
    if !is_audience(&claims, &config.client_id) {
        return Err(SetupError::Audience.into());
    }
    if claims.text("nonce") != Some(nonce) {
        return Err(TokenError::Invalid("its nonce belongs to another request"));
    }
    check_times(&claims, now)?;
    subject(&claims)?;
    Ok(claims)
}

/// Whether the token was issued to us (OpenID Connect Core, section 3.1.3.7): we are in the audience (`aud`), and if
/// there are other audiences or an authorized party (`azp`), we are that party.
fn is_audience(claims: &Claims, client: &str) -> bool {
    let audiences: Option<Vec<&str>> = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().map(Value::as_str).collect(),
        one => one.and_then(Value::as_str).map(|one| vec![one]),
    };
    let Some(audiences) = audiences.filter(|audiences| audiences.contains(&client)) else { return false };
    match claims.get("azp") {
        Some(party) => party == client,
        None => audiences.iter().all(|audience| *audience == client),
    }
}

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
    let now = now.micros().div_euclid(1_000_000);
    let (Some(expires), Some(issued)) = (claims.seconds("exp"), claims.seconds("iat")) else {
        return Err(TokenError::Invalid("it has no expiry (`exp`) or no issue time (`iat`)"));
    };
    let age = now.saturating_sub(issued);
    if !(-MAX_CLOCK_SKEW..=MAX_TOKEN_AGE).contains(&age) {
        return Err(SetupError::Clock { claim: "time of issue (`iat`)", seconds: age }.into());
    }
    let over = now.saturating_sub(expires);
    if over >= MAX_CLOCK_SKEW {
        return Err(SetupError::Clock { claim: "end (`exp`)", seconds: over }.into());
    }
    let early = claims.seconds("nbf").map_or(0, |begins| begins.saturating_sub(now));
    if early > MAX_CLOCK_SKEW {
        return Err(SetupError::Clock { claim: "beginning (`nbf`)", seconds: early }.into());
    }
    Ok(())
}

fn subject(claims: &Claims) -> Result<&str, SetupError> {
    let fits =
        |subject: &&str| subject.len() <= MAX_SUBJECT_BYTES && subject.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    claims.text("sub").filter(fits).ok_or(SetupError::Subject)
}

/// The user's address in one response, if that response has it and says that it is verified. Both claims must come
/// together: a verification from elsewhere may be of another address.
pub(super) fn verified_email(claims: &Claims, issuer: &str) -> Result<Option<Email>, ProviderError> {
    let verified = match claims.get("email_verified") {
        // Entra ID has another claim: whether the tenant owns the domain of the address.
        None if issuer.starts_with(MICROSOFT_ISSUER_PREFIX) => {
            claims.get("xms_edov").is_some_and(|value| is_true(value) || value == 1 || value == "1")
        }
        None => false,
        Some(value) if is_true(value) => true,
        Some(value) if is_false(value) => return Err(ProviderError::EmailNotVerified),
        Some(_) => return Err(SetupError::InvalidEmailVerified("neither true nor false".to_owned()).into()),
    };
    match claims.text("email") {
        Some(email) if verified => Email::parse(email).map(Some).map_err(|_| ProviderError::InvalidEmail),
        _ => Ok(None),
    }
}

/// Some providers send booleans as strings.
fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true) || value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

fn is_false(value: &Value) -> bool {
    value == &Value::Bool(false) || value.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("false"))
}

/// Combines the ID token with the userinfo response, if that was requested.
pub(super) fn to_id_token_claims(
    claims: &Claims,
    userinfo: Option<&Claims>,
    issuer: &str,
) -> Result<IdTokenClaims, ProviderError> {
    let mut email = verified_email(claims, issuer)?;
    if let (None, Some(userinfo)) = (&email, userinfo) {
        email = verified_email(userinfo, issuer)?;
    }
    let email = email.ok_or_else(|| {
        let is_given = |claims: &Claims| claims.text("email").is_some();
        match is_given(claims) || userinfo.is_some_and(is_given) {
            true => {
                SetupError::InvalidEmailVerified("missing, from the ID token and from the userinfo endpoint".to_owned())
            }
            false => SetupError::MissingEmail,
        }
    })?;
    let full = claims.text("name").or_else(|| userinfo?.text("name"));
    Ok(IdTokenClaims {
        issuer: issuer.to_owned(),
        subject: subject(claims)?.to_owned(),
        name: display_name(full, &email),
        email,
        auth_time: claims.seconds("auth_time").map(|at| Timestamp::from_micros(at.saturating_mul(1_000_000))),
    })
}

/// A valid display name: the provider's, else the local part of the address, else the whole address.
fn display_name(full: Option<&str>, email: &Email) -> String {
    let clean = |text: &str| strip_invisible(text).chars().take(limits::MAX_NAME_CHARS).collect::<String>();
    let local = email.as_entered().split('@').next().unwrap_or_default();
    let typed = [full.unwrap_or_default(), local].into_iter().find_map(|text| parse_name(&clean(text)).ok());
    typed.unwrap_or_else(|| clean(email.as_entered()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: &Value) -> Claims {
        Claims::parse(value.to_string().as_bytes()).expect("an object")
    }

    #[test]
    fn row_11_provider_names_are_sanitized() {
        let email = Email::parse("ada@example.org").expect("an address");
        assert_eq!(display_name(Some(" Ada\u{202E} Lovelace\n"), &email), "Ada Lovelace");
        assert_eq!(display_name(Some("\u{200B}"), &email), "ada");
        assert_eq!(display_name(None, &email), "ada");
        assert_eq!(display_name(Some(&"x".repeat(500)), &email).len(), limits::MAX_NAME_CHARS);
        let admin = Email::parse("admin@example.org").expect("an address");
        assert_eq!(display_name(Some("Root"), &email), "ada", "row 15");
        assert_eq!(display_name(Some("Аdmin"), &admin), "admin@example.org");
    }

    #[test]
    fn o05_tokens_with_several_audiences_need_our_azp() {
        for (value, ours) in [
            (json!({ "aud": "us" }), true),
            (json!({ "aud": ["us"] }), true),
            (json!({ "aud": ["us", "us"] }), true),
            (json!({ "aud": "us", "azp": "us" }), true),
            (json!({ "aud": ["project", "us", "other"], "azp": "us" }), true),
            (json!({ "aud": ["us"], "azp": null }), true),
            (json!({ "aud": ["us", "other"] }), false),
            (json!({ "aud": ["us", "other"], "azp": null }), false),
            (json!({ "aud": ["us", "other"], "azp": "other" }), false),
            (json!({ "aud": ["us", "other"], "azp": ["us"] }), false),
            (json!({ "aud": ["us", "other"], "azp": "" }), false),
            (json!({ "aud": ["other"], "azp": "us" }), false),
            (json!({ "aud": "us", "azp": "other" }), false),
            (json!({ "aud": ["us", 7], "azp": "us" }), false),
            (json!({ "aud": { "us": true }, "azp": "us" }), false),
            (json!({ "aud": "US" }), false),
            (json!({ "azp": "us" }), false),
        ] {
            assert_eq!(is_audience(&claims(&value), "us"), ours, "{value}");
        }
    }

    #[test]
    fn o05_only_true_verifies_an_address() {
        let found = |value: Value, issuer: &str| {
            verified_email(&claims(&value), issuer).map(|email| email.map(|email| email.as_entered().to_owned()))
        };
        let other = "https://login.example.org";
        for yes in [json!(true), json!("true"), json!("True"), json!(" TRUE ")] {
            let value = json!({ "email": "ada@example.org", "email_verified": yes });
            assert_eq!(found(value, other).expect("an address").as_deref(), Some("ada@example.org"), "{yes}");
            assert_eq!(found(json!({ "email_verified": yes }), other).expect("no refusal"), None, "of which address?");
        }
        for no in [json!(false), json!("false"), json!("False")] {
            let value = json!({ "email": "ada@example.org", "email_verified": no });
            assert!(matches!(found(value, other), Err(ProviderError::EmailNotVerified)), "{no}");
            assert!(found(json!({ "email_verified": no }), other).is_err(), "{no}");
        }
        for odd in [
            json!(1),
            json!("1"),
            json!("yes"),
            json!(""),
            json!("null"),
            json!([true]),
            json!({ "true": true }),
            json!("truе"),
        ] {
            let value = json!({ "email": "ada@example.org", "email_verified": odd });
            assert!(
                matches!(found(value, other), Err(ProviderError::Setup(SetupError::InvalidEmailVerified(_)))),
                "{odd}"
            );
        }
        let unstated = json!({ "email": "ada@example.org", "email_verified": null });
        assert_eq!(found(unstated, other).expect("no refusal"), None);
    }

    #[test]
    fn xms_edov_counts_only_for_entra_id() {
        let entra = "https://login.microsoftonline.com/7/v2.0";
        let is_found =
            |value: &Value, issuer: &str| verified_email(&claims(value), issuer).is_ok_and(|email| email.is_some());
        for yes in [json!(true), json!("true"), json!("1"), json!(1)] {
            let value = json!({ "email": "ada@example.org", "xms_edov": yes });
            assert!(is_found(&value, entra), "{yes}");
            assert!(!is_found(&value, "https://login.example.org"), "{yes}");
            assert!(!is_found(&value, "https://login.microsoftonline.com.evil.example/7"), "{yes}");
        }
        for no in [json!(false), json!("0"), json!(0), json!(null), json!("yes")] {
            assert!(!is_found(&json!({ "email": "ada@example.org", "xms_edov": no }), entra), "{no}");
        }
        let denied = json!({ "email": "ada@example.org", "xms_edov": true, "email_verified": false });
        assert!(!is_found(&denied, entra));
    }
}
