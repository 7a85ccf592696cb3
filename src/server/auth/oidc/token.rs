//! Whether an ID token is what it must be, and for whom it vouches then.

use serde_json::Value;

use super::{
    fault::{ProviderError, Setup, Wrong},
    jwt::{Claims, Keys, verify},
};
use crate::{
    domain::{Email, Timestamp, limits, parse_name, visible},
    server::config::IdentityProviderConfig,
};

/// By how much a provider's clock may differ from ours, in seconds.
const LEEWAY: i64 = 60;
/// How old a token may be, in seconds: it is made while we wait for it.
const AGE: i64 = 600;
/// The longest subject, in bytes (OpenID Connect Core, section 2).
const SUBJECT_BYTES: usize = 255;
/// Where Microsoft's issuers are.
const MICROSOFT: &str = "https://login.microsoftonline.com/";

/// For whom a provider vouches.
#[derive(Debug)]
pub(super) struct IdTokenClaims {
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

/// Checks a token: by whom, for whom, when, in answer to what. Gives what it says.
pub(super) fn check(
    token: &str,
    nonce: &str,
    config: &IdentityProviderConfig,
    keys: &Keys,
    now: Timestamp,
) -> Result<Claims, Wrong> {
    let claims = verify(token, keys)?;
    let issuer = claims.text("iss").unwrap_or_default();
    if issuer != config.issuer {
        let (given, configured) = (issuer.chars().take(200).collect(), config.issuer.clone());
        return Err(Setup::TokenIssuer { given, configured }.into());
    }
    if !is_for(&claims, &config.client_id) {
        return Err(Setup::Audience.into());
    }
    if claims.text("nonce") != Some(nonce) {
        return Err(Wrong::Invalid("it answers another request"));
    }
    check_times(&claims, now)?;
    subject(&claims)?;
    Ok(claims)
}

/// Whether the token was made for us (OpenID Connect Core, section 3.1.3.7): we are among the audiences, and where there are
/// others, or any party is named, we are the party that it was issued to.
fn is_for(claims: &Claims, client: &str) -> bool {
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

fn check_times(claims: &Claims, now: Timestamp) -> Result<(), Wrong> {
    let now = now.micros().div_euclid(1_000_000);
    let (Some(expires), Some(issued)) = (claims.seconds("exp"), claims.seconds("iat")) else {
        return Err(Wrong::Invalid("it does not say for how long it holds"));
    };
    let age = now.saturating_sub(issued);
    if !(-LEEWAY..=AGE).contains(&age) {
        return Err(Setup::Clock { claim: "time of issue (`iat`)", seconds: age }.into());
    }
    let over = now.saturating_sub(expires);
    if over >= LEEWAY {
        return Err(Setup::Clock { claim: "end (`exp`)", seconds: over }.into());
    }
    let early = claims.seconds("nbf").map_or(0, |begins| begins.saturating_sub(now));
    if early > LEEWAY {
        return Err(Setup::Clock { claim: "beginning (`nbf`)", seconds: early }.into());
    }
    Ok(())
}

fn subject(claims: &Claims) -> Result<&str, Setup> {
    let fits =
        |subject: &&str| subject.len() <= SUBJECT_BYTES && subject.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    claims.text("sub").filter(fits).ok_or(Setup::Subject)
}

/// The person's address in one answer of the provider, where that answer holds it and says that it is confirmed. The two
/// must come together: a confirmation elsewhere may be of another address.
pub(super) fn address(claims: &Claims, issuer: &str) -> Result<Option<Email>, ProviderError> {
    let confirmed = match claims.get("email_verified") {
        // Entra ID says it otherwise: whether the tenant owns the domain of the address.
        None if issuer.starts_with(MICROSOFT) => {
            claims.get("xms_edov").is_some_and(|said| is_true(said) || said == 1 || said == "1")
        }
        None => false,
        Some(said) if is_true(said) => true,
        Some(said) if is_false(said) => return Err(ProviderError::Unconfirmed),
        Some(_) => return Err(Setup::Unstated("neither true nor false".to_owned()).into()),
    };
    match claims.text("email") {
        Some(email) if confirmed => Email::parse(email).map(Some).map_err(|_| ProviderError::Address),
        _ => Ok(None),
    }
}

/// Some providers write truth values as texts.
fn is_true(said: &Value) -> bool {
    said == &Value::Bool(true) || said.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

fn is_false(said: &Value) -> bool {
    said == &Value::Bool(false) || said.as_str().is_some_and(|text| text.trim().eq_ignore_ascii_case("false"))
}

/// For whom a token vouches, with what the userinfo endpoint says where it was asked.
pub(super) fn read(claims: &Claims, more: Option<&Claims>, issuer: &str) -> Result<IdTokenClaims, ProviderError> {
    let mut email = address(claims, issuer)?;
    if let (None, Some(more)) = (&email, more) {
        email = address(more, issuer)?;
    }
    let email = email.ok_or_else(|| {
        let is_given = |claims: &Claims| claims.text("email").is_some();
        match is_given(claims) || more.is_some_and(is_given) {
            true => Setup::Unstated("missing, from the ID token and from the userinfo endpoint".to_owned()),
            false => Setup::NoAddress,
        }
    })?;
    let full = claims.text("name").or_else(|| more?.text("name"));
    Ok(IdTokenClaims {
        issuer: issuer.to_owned(),
        subject: subject(claims)?.to_owned(),
        name: name(full, &email),
        email,
        signed_in_at: claims.seconds("auth_time").map(|at| Timestamp::from_micros(at.saturating_mul(1_000_000))),
    })
}

/// A name as one could type it: what the provider says, else the beginning of the address, else all of it.
fn name(full: Option<&str>, email: &Email) -> String {
    let clean = |text: &str| visible(text).chars().take(limits::NAME_CHARS).collect::<String>();
    let local = email.given().split('@').next().unwrap_or_default();
    let typed = [full.unwrap_or_default(), local].into_iter().find_map(|text| parse_name(&clean(text)).ok());
    typed.unwrap_or_else(|| clean(email.given()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: &Value) -> Claims {
        Claims::read(value.to_string().as_bytes()).expect("an object")
    }

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

    #[test]
    fn o05_a_token_of_several_audiences_is_for_the_party_that_it_names() {
        for (said, ours) in [
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
            assert_eq!(is_for(&claims(&said), "us"), ours, "{said}");
        }
    }

    #[test]
    fn o05_only_a_clear_yes_confirms_an_address() {
        let found = |said: Value, issuer: &str| {
            address(&claims(&said), issuer).map(|email| email.map(|email| email.given().to_owned()))
        };
        let other = "https://login.example.org";
        for yes in [json!(true), json!("true"), json!("True"), json!(" TRUE ")] {
            let said = json!({ "email": "ada@example.org", "email_verified": yes });
            assert_eq!(found(said, other).expect("an address").as_deref(), Some("ada@example.org"), "{yes}");
            assert_eq!(found(json!({ "email_verified": yes }), other).expect("no refusal"), None, "of which address?");
        }
        for no in [json!(false), json!("false"), json!("False")] {
            let said = json!({ "email": "ada@example.org", "email_verified": no });
            assert!(matches!(found(said, other), Err(ProviderError::Unconfirmed)), "{no}");
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
            let said = json!({ "email": "ada@example.org", "email_verified": odd });
            assert!(matches!(found(said, other), Err(ProviderError::Setup(Setup::Unstated(_)))), "{odd}");
        }
        let unstated = json!({ "email": "ada@example.org", "email_verified": null });
        assert_eq!(found(unstated, other).expect("no refusal"), None);
    }

    #[test]
    fn the_domain_owner_of_entra_id_counts_there_alone() {
        let entra = "https://login.microsoftonline.com/7/v2.0";
        let is_found = |said: &Value, issuer: &str| address(&claims(said), issuer).is_ok_and(|email| email.is_some());
        for yes in [json!(true), json!("true"), json!("1"), json!(1)] {
            let said = json!({ "email": "ada@example.org", "xms_edov": yes });
            assert!(is_found(&said, entra), "{yes}");
            assert!(!is_found(&said, "https://login.example.org"), "{yes}");
            assert!(!is_found(&said, "https://login.microsoftonline.com.evil.example/7"), "{yes}");
        }
        for no in [json!(false), json!("0"), json!(0), json!(null), json!("yes")] {
            assert!(!is_found(&json!({ "email": "ada@example.org", "xms_edov": no }), entra), "{no}");
        }
        let denied = json!({ "email": "ada@example.org", "xms_edov": true, "email_verified": false });
        assert!(!is_found(&denied, entra));
    }
}
