//! Legal pages: privacy policy and terms.

use serde::{Deserialize, Serialize};

/// A legal page, whose text the operator can replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalPage {
    /// The privacy policy.
    Privacy,
    /// The terms of use.
    Terms,
}

impl LegalPage {
    /// The heading in the language of the page.
    pub fn title(self) -> &'static str {
        match self {
            Self::Privacy => t!("common.privacy"),
            Self::Terms => t!("common.terms"),
        }
    }
}
