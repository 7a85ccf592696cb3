//! Words that the database keeps for values of ours. One that is unknown here, as after a downgrade or a change by hand, is
//! a fault and never a default.

use crate::domain::{FactorKind, Role};

/// The database holds a word that this program does not know.
#[derive(Debug, thiserror::Error)]
#[error("the database holds {word:?} for {what}, which this program does not know")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
}

impl UnknownWord {
    /// This word is none for what it stands for, such as "a role".
    pub fn new(what: &'static str, word: impl Into<String>) -> Self {
        Self { what, word: word.into() }
    }
}

impl TryFrom<String> for Role {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        let known = [Self::Member, Self::Administrator].into_iter().find(|role| role.word() == word);
        known.ok_or_else(|| UnknownWord::new("a role", word))
    }
}

impl TryFrom<String> for FactorKind {
    type Error = UnknownWord;

    fn try_from(word: String) -> Result<Self, UnknownWord> {
        match word.as_str() {
            "totp" => Ok(Self::Totp),
            "passkey" => Ok(Self::Passkey),
            _ => Err(UnknownWord::new("a second factor", word)),
        }
    }
}
