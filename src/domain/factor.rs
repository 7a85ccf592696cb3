//! Second factors: authenticator apps and passkeys.

use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use super::{AppError, limits, reject_deceptive};
use super::{FactorId, Timestamp};

/// The kind of a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// An authenticator app that generates time-based codes.
    Totp,
    /// A passkey on a device or in a password manager.
    Passkey,
}

/// A confirmed second factor of the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// The factor's id.
    pub id: FactorId,
    /// The kind.
    pub kind: FactorKind,
    /// The name that the user chose.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// All second factors of the user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// The confirmed factors, oldest first.
    pub factors: Vec<Factor>,
    /// The number of unused recovery codes.
    pub recovery_codes: u32,
    /// Whether the installation requires a second factor that the user does not have yet.
    pub must_enrol: bool,
}

/// The enrolment of an authenticator app, which contains the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpEnrolment {
    /// The enrolment URI: `otpauth://totp/…`.
    pub uri: String,
    /// The secret in base32, in groups of four characters.
    pub secret: String,
    /// The URI as a QR code: an `svg` element that fills its box, in the current colour, with a quiet zone.
    pub qr: String,
}

impl std::fmt::Debug for TotpEnrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpEnrolment { .. }")
    }
}

/// The next step of a sign-in, after the first factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum SignInStep {
    /// None: the user is signed in.
    Done,
    /// A second factor is required. A recovery code is always accepted.
    SecondFactor {
        /// Whether a code of an authenticator app is accepted.
        totp: bool,
        /// Whether a passkey is accepted.
        passkey: bool,
    },
}

/// Validates the name of a factor and returns it without surrounding whitespace.
///
/// # Errors
/// `Invalid` on the field `name`.
#[cfg(feature = "ssr")]
pub fn parse_factor_name(text: &str) -> Result<String, AppError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(AppError::invalid("name", reason!("factor_name_missing")));
    }
    if name.chars().count() > limits::MAX_FACTOR_NAME_CHARS {
        return Err(AppError::invalid("name", reason!("name_too_long", most = limits::MAX_FACTOR_NAME_CHARS)));
    }
    reject_deceptive(name).ok_or_else(|| AppError::invalid("name", reason!("name_invisible")))
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn factor_names_are_trimmed_and_deceptive_ones_rejected() {
        assert_eq!(parse_factor_name("  My key "), Ok("My key".to_owned()));
        for bad in ["", "  ", "a\u{202E}b", "a\u{200C}b", "a\nb", &"x".repeat(61)] {
            assert_eq!(parse_factor_name(bad).unwrap_err().field(), Some("name"), "{bad:?}");
        }
    }

    #[test]
    fn the_debug_output_of_an_enrolment_contains_no_secret() {
        let enrolment = TotpEnrolment { uri: "CaNaRy".into(), secret: "CaNaRy".into(), qr: "CaNaRy".into() };
        assert!(!format!("{enrolment:?}").contains("CaNaRy"));
    }
}
