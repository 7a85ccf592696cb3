//! Error codes with values, which are translated where they are shown.

use std::{
    borrow::Cow,
    fmt::{self, Display, Formatter},
};

use serde::{Deserialize, Serialize};

use super::Texts;

/// The reason of an error: a machine-readable code and values for its message. Created with [`reason!`](crate::reason).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The code, in snake case. The message has the key `error.<code>`.
    pub code: Cow<'static, str>,
    /// The values: the name of a placeholder and the text that replaces it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<(Cow<'static, str>, String)>,
}

impl Reason {
    /// Creates a reason without values.
    pub fn new(code: &'static str) -> Self {
        Self { code: Cow::Borrowed(code), params: Vec::new() }
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &dyn Display) -> Self {
        self.params.push((Cow::Borrowed(name), value.to_string()));
        self
    }

    /// The message in the language of `texts`.
    pub fn text_in(&self, texts: &Texts) -> String {
        let key = key!("error.").with(&self.code);
        // A page that was opened before an upgrade may receive a code that it does not know.
        if !texts.has(key) {
            return t!(in texts, "common.fault.invalid").to_owned();
        }
        let values: Vec<(&str, &dyn Display)> =
            self.params.iter().map(|(name, value)| (name.as_ref(), value as &dyn Display)).collect();
        texts.format(key, &values)
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        self.params.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::i18n::Language;

    #[test]
    fn an_unknown_code_has_a_generic_message() {
        let texts = Language::default().texts();
        assert_eq!(Reason::new("of_another_version").text_in(texts), "Something went wrong");
        assert_ne!(reason!("database_busy").text_in(texts), "Something went wrong");
    }
}
