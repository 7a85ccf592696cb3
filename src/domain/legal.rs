//! The pages that say what this installation does with what people entrust to it.

use serde::{Deserialize, Serialize};

/// A page whose text is the operator's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalPage {
    /// What is kept, where, how long, and who can see it.
    Privacy,
    /// What people may expect, and what is expected of them.
    Terms,
}

impl LegalPage {
    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Privacy => t!("common.privacy"),
            Self::Terms => t!("common.terms"),
        }
    }
}
