//! Enum values as they are stored in the database. An unknown value, as after a downgrade or a manual change, is an
//! error and never replaced by a default.

use crate::domain::{FactorKind, Role};

/// The database contains an enum value that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("the database contains the unknown value {value:?} for {what}")]
pub struct UnknownValue {
    what: &'static str,
    value: String,
}

impl UnknownValue {
    /// Creates the error for `value`. `what` names the type, such as "a role".
    pub fn new(what: &'static str, value: impl Into<String>) -> Self {
        Self { what, value: value.into() }
    }
}

impl TryFrom<String> for Role {
    type Error = UnknownValue;

    fn try_from(value: String) -> Result<Self, UnknownValue> {
        let known = [Self::Member, Self::Administrator].into_iter().find(|role| role.as_str() == value);
        known.ok_or_else(|| UnknownValue::new("a role", value))
    }
}

impl TryFrom<String> for FactorKind {
    type Error = UnknownValue;

    fn try_from(value: String) -> Result<Self, UnknownValue> {
        match value.as_str() {
            "totp" => Ok(Self::Totp),
            "passkey" => Ok(Self::Passkey),
            _ => Err(UnknownValue::new("a second factor", value)),
        }
    }
}
