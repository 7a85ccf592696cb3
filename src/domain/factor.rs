//! Second factors, as the pages show them.

use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use super::{AppError, honest, limits};
use super::{FactorId, Timestamp};

/// What a factor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// An app that shows codes.
    Totp,
    /// A key in a device, or a password manager's.
    Passkey,
}

/// A confirmed factor of the caller's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// Its id.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// What the person calls it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// All that a person can show besides the password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// Oldest first.
    pub factors: Vec<Factor>,
    /// Recovery codes that were not used yet.
    pub recovery_codes: u32,
    /// Whether the installation asks this person for a factor that they do not have yet.
    pub must_enrol: bool,
}

/// An authenticator app that is being added. Shown once; the secret is not given out again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpEnrolment {
    /// The address that apps read: `otpauth://totp/…`.
    pub uri: String,
    /// The secret in base32 in groups of four, for typing.
    pub secret: String,
    /// The address as a QR code: an `svg` element that fills its box, in the current colour, with a quiet zone.
    pub qr: String,
}

impl std::fmt::Debug for TotpEnrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpEnrolment { .. }")
    }
}

/// What comes after the first step of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum SignInStep {
    /// Nothing: the person is signed in.
    Done,
    /// A second factor. A recovery code always does.
    SecondFactor {
        /// A code of an authenticator app does.
        totp: bool,
        /// A passkey does.
        passkey: bool,
    },
}

/// Checks what a person calls a factor and returns it without surrounding blanks.
///
/// # Errors
/// `Invalid` on the field `name`.
#[cfg(feature = "ssr")]
pub fn parse_factor_name(text: &str) -> Result<String, AppError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(AppError::invalid("name", reason!("factor_name_missing")));
    }
    if name.chars().count() > limits::FACTOR_NAME_CHARS {
        return Err(AppError::invalid("name", reason!("name_too_long", most = limits::FACTOR_NAME_CHARS)));
    }
    honest(name).ok_or_else(|| AppError::invalid("name", reason!("name_invisible")))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn names_of_factors_are_trimmed_and_cannot_deceive() {
        assert_eq!(parse_factor_name("  My key "), Ok("My key".to_owned()));
        for bad in ["", "  ", "a\u{202E}b", "a\u{200C}b", "a\nb", &"x".repeat(61)] {
            assert_eq!(parse_factor_name(bad).unwrap_err().field(), Some("name"), "{bad:?}");
        }
    }

    #[test]
    fn an_enrolment_is_not_printed() {
        let enrolment = TotpEnrolment { uri: "CaNaRy".into(), secret: "CaNaRy".into(), qr: "CaNaRy".into() };
        assert!(!format!("{enrolment:?}").contains("CaNaRy"));
    }
}
