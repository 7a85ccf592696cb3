//! People and how they come in.

use serde::{Deserialize, Serialize};

use super::{AppError, UserId, limits};
#[cfg(feature = "ssr")]
use super::{
    honest,
    name::{is_reserved, mixes_scripts},
};
use crate::i18n::Reason;

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Uses the installation.
    Member,
    /// Also runs it.
    Administrator,
}

impl Role {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Administrator => "administrator",
        }
    }
}

/// The person who is signed in, as the pages show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentUser {
    /// Who.
    pub id: UserId,
    /// The name as it was given.
    pub name: String,
    /// The address as it was given.
    pub email: String,
    /// What they may do.
    pub role: Role,
}

/// Whether a stranger can make an account now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUpPolicy {
    /// Nobody is here yet: the next account is the administrator's.
    First,
    /// Anybody may.
    Open,
    /// Whoever has an address of certain domains may, and must show that it is theirs.
    Domains,
    /// Nobody may, without an invitation.
    Closed,
}

/// How good a password is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordRating {
    /// From 0 (guessed at once) to 4 (very hard to guess), after zxcvbn.
    pub score: u8,
    /// Whether the one rule is met.
    pub acceptable: bool,
    /// What is missing, or that it is good.
    pub advice: Reason,
}

/// An address that can stand for a person: one spelling, lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email {
    given: String,
    key: String,
}

impl Email {
    /// Checks and normalizes an address. Only the form that people have is taken: an unquoted local part,
    /// one `@`, a domain with a dot or `localhost`; ASCII, so that no look-alike can pose as another address.
    ///
    /// # Errors
    /// `Invalid` on the field `email`.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        let given = text.trim();
        let invalid = || AppError::invalid("email", reason!("email_malformed"));
        if given.is_empty() || given.len() > limits::EMAIL_BYTES || !given.is_ascii() {
            return Err(invalid());
        }
        let (local, domain) = given.split_once('@').ok_or_else(invalid)?;
        let local_ok = (1..=64).contains(&local.len())
            && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte));
        let domain_ok = (domain.contains('.') || domain == "localhost")
            && domain.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            });
        if !local_ok || !domain_ok {
            return Err(invalid());
        }
        Ok(Self { given: given.to_owned(), key: given.to_ascii_lowercase() })
    }

    /// As it was given.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// The spelling under which it is unique.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What stands behind the `@`, in lower case.
    pub fn domain(&self) -> &str {
        self.key.split_once('@').map_or("", |(_, domain)| domain)
    }
}

const fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

/// Checks a person's name and returns it without surrounding blanks, and without joiners that change nothing.
///
/// # Errors
/// `Invalid` on the field `name`.
#[cfg(feature = "ssr")]
pub fn parse_name(text: &str) -> Result<String, AppError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(AppError::invalid("name", reason!("name_missing")));
    }
    if name.chars().count() > limits::NAME_CHARS {
        return Err(AppError::invalid("name", reason!("name_too_long", most = limits::NAME_CHARS)));
    }
    let Some(name) = honest(name) else {
        return Err(AppError::invalid("name", reason!("name_invisible")));
    };
    if is_reserved(&name) {
        return Err(AppError::invalid("name", reason!("name_reserved")));
    }
    if mixes_scripts(&name) {
        return Err(AppError::invalid("name", reason!("name_mixed")));
    }
    Ok(name)
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalized_once() {
        let email = Email::parse(" Ada.Lovelace@Example.ORG ").expect("a good address");
        assert_eq!(email.given(), "Ada.Lovelace@Example.ORG");
        assert_eq!(email.key(), "ada.lovelace@example.org");
    }

    #[test]
    fn row_13_bad_addresses_are_refused() {
        let long = format!("{}@example.org", "a".repeat(300));
        for bad in [
            "",
            "  ",
            "a",
            "a@",
            "@b.org",
            "a@b@c.org",
            "a\r\nBcc: x@y.org",
            "\"a b\"@c.org",
            "a..b@c.org",
            "а@example.org",
            "a@-b.org",
            "a@b",
            &long,
        ] {
            assert_eq!(Email::parse(bad).unwrap_err().field(), Some("email"), "{bad:?}");
        }
    }

    #[test]
    fn row_11_names_cannot_deceive() {
        assert_eq!(parse_name("  Ada  ").as_deref(), Ok("Ada"));
        assert!(parse_name("👩‍🚀").is_ok());
        assert_eq!(parse_name("علی\u{200C}رضا").as_deref(), Ok("علی\u{200C}رضا"));
        assert_eq!(parse_name(" کورده\u{200C} ").as_deref(), Ok("کورده"));
        for bad in ["Ad\u{200C}a", "Ad\u{200D}a", "ad\u{200C}min", "\u{3164}", "Ada\u{FE0F}"] {
            assert_eq!(parse_name(bad).unwrap_err().field(), Some("name"), "{bad:?}");
        }
        for bad in ["", " ", "a\0b", "Ada\u{202E}nimda", "a\u{200B}b", "a\u{E0041}", "a\nb", &"x".repeat(81)] {
            assert_eq!(parse_name(bad).unwrap_err().field(), Some("name"), "{bad:?}");
        }
    }
}
