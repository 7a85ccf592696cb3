//! User accounts, roles and sign-up.

use serde::{Deserialize, Serialize};

use super::{AppError, UserId, limits};
use crate::i18n::Reason;

/// The role of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Uses the installation.
    Member,
    /// Also manages it.
    Administrator,
}

impl Role {
    /// The name in forms, commands and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Administrator => "administrator",
        }
    }
}

/// The signed-in user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentUser {
    /// The user's id.
    pub id: UserId,
    /// The display name.
    pub name: String,
    /// The e-mail address as entered.
    pub email: String,
    /// The role.
    pub role: Role,
}

/// Who can create an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignUpPolicy {
    /// There is no account yet: the first one becomes the administrator.
    First,
    /// Everyone.
    Open,
    /// Everyone with an e-mail address in certain domains, after verifying it.
    Domains,
    /// Only with an invitation.
    Closed,
}

/// The strength of a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordRating {
    /// The zxcvbn score, from 0 (very weak) to 4 (very strong).
    pub score: u8,
    /// Whether the password meets the policy.
    pub acceptable: bool,
    /// How to improve the password, or that it is good.
    pub advice: Reason,
}

/// A valid e-mail address, as entered and in normalized form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email {
    entered: String,
    key: String,
}

impl Email {
    /// Validates and normalizes an address. Only the common form is accepted: an unquoted local part, one `@`, a domain
    /// with a dot or `localhost`; ASCII only, against look-alike addresses. Libraries accept every address of the
    /// standards, also quoted ones with spaces and line breaks.
    ///
    /// # Errors
    /// `Invalid` on the field `email`.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        let entered = text.trim();
        let invalid = || AppError::invalid("email", reason!("email_malformed"));
        if entered.is_empty() || entered.len() > limits::MAX_EMAIL_BYTES || !entered.is_ascii() {
            return Err(invalid());
        }
        let (local, domain) = entered.split_once('@').ok_or_else(invalid)?;
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
        Ok(Self { entered: entered.to_owned(), key: entered.to_ascii_lowercase() })
    }

    /// The address as entered, without surrounding whitespace.
    pub fn as_entered(&self) -> &str {
        &self.entered
    }

    /// The normalized address (lower case), which identifies an account.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The domain, in lower case.
    pub fn domain(&self) -> &str {
        self.key.split_once('@').map_or("", |(_, domain)| domain)
    }
}

const fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalized() {
        let email = Email::parse(" Ada.Lovelace@Example.ORG ").expect("a good address");
        assert_eq!(email.as_entered(), "Ada.Lovelace@Example.ORG");
        assert_eq!(email.key(), "ada.lovelace@example.org");
    }

    #[test]
    fn row_13_invalid_addresses_are_rejected() {
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
}
