//! Why something was refused, in a form that the reader's language can be put to later.

use std::{
    borrow::Cow,
    fmt::{self, Display, Formatter},
};

use serde::{Deserialize, Serialize};

use super::Texts;

/// Why something was refused: a code that programs can tell apart, and values for its sentence. Make one by
/// [`reason!`](crate::reason).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The code, in snake case. The sentence has the key `error.<code>`.
    pub code: Cow<'static, str>,
    /// The values: the name of the sentence's placeholder, and what stands in its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<(Cow<'static, str>, String)>,
}

impl Reason {
    /// A reason without values.
    pub fn new(code: &'static str) -> Self {
        Self { code: Cow::Borrowed(code), params: Vec::new() }
    }

    /// The same with a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &dyn Display) -> Self {
        self.params.push((Cow::Borrowed(name), value.to_string()));
        self
    }

    /// The sentence in these texts.
    pub fn text_in(&self, texts: &Texts) -> String {
        let key = key!("error.").with(&self.code);
        // A page that was opened before an upgrade may be told a code that it does not know yet.
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
    fn a_code_of_another_version_has_a_sentence_too() {
        let texts = Language::default().texts();
        assert_eq!(Reason::new("of_another_version").text_in(texts), "That did not work");
        assert_ne!(reason!("database_busy").text_in(texts), "That did not work");
    }
}
