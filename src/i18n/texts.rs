//! The texts of one language.

use std::{fmt::Display, sync::LazyLock};

use super::Key;

/// The texts of one language. In a browser, only the loaded ones.
#[derive(Debug, Default)]
pub struct Texts {
    tag: &'static str,
    /// Sorted by key.
    texts: Vec<(Key, &'static str)>,
}

impl Texts {
    /// Creates an empty collection for the language with this tag.
    pub fn new(tag: &'static str) -> Self {
        Self { tag, texts: Vec::new() }
    }

    /// An empty collection without a language.
    pub fn empty() -> &'static Self {
        static EMPTY: LazyLock<Texts> = LazyLock::new(Texts::default);
        &EMPTY
    }

    /// Adds the texts of another collection.
    #[cfg(feature = "hydrate")]
    pub(super) fn merge(mut self, other: &Self) -> Self {
        self.texts.extend(&other.texts);
        self.texts.sort_by_key(|(key, _)| *key);
        self
    }

    /// The BCP 47 tag of the language.
    pub const fn tag(&self) -> &'static str {
        self.tag
    }

    /// Adds a text, unless the key already has one.
    pub fn add(&mut self, key: Key, text: &'static str) {
        if let Err(at) = self.position(key) {
            self.texts.insert(at, (key, text));
        }
    }

    fn position(&self, key: Key) -> Result<usize, usize> {
        self.texts.binary_search_by_key(&key, |(key, _)| *key)
    }

    /// The text with this key, if there is one.
    pub fn find(&self, key: Key) -> Option<&'static str> {
        self.position(key).ok().map(|at| self.texts[at].1)
    }

    /// Whether there is a text with this key, or its plural forms.
    pub fn has(&self, key: Key) -> bool {
        self.find(key).or_else(|| self.find(key.with("_other"))).is_some()
    }

    /// The text with this key. If it is missing, logs an error and returns an empty text.
    // Not inlined, because pages contain hundreds of calls.
    #[inline(never)]
    pub fn text(&self, key: Key) -> &'static str {
        self.find(key).unwrap_or_else(|| missing(key))
    }

    /// The text with this key, with its placeholders replaced by values. A value named `count` selects the plural form.
    pub fn format(&self, key: Key, values: &[(&str, &dyn Display)]) -> String {
        let count = values.iter().find(|(name, _)| *name == "count").map(|(_, count)| count.to_string());
        let form = count.and_then(|count| self.form(key, &count));
        let mut text = form.unwrap_or_else(|| self.text(key));
        let mut filled = String::with_capacity(text.len() + 16);
        // Values are not searched for placeholders.
        while let Some((before, rest)) = text.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = rest.split_once('}') else {
                text = rest;
                break;
            };
            if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
                filled.push_str(&value.to_string());
            }
            text = after;
        }
        filled.push_str(text);
        filled
    }

    /// The plural form of a text for this number.
    fn form(&self, key: Key, count: &str) -> Option<&'static str> {
        let category = count.parse().map_or("other", |count| self.plural_category(count));
        self.find(key.with("_").with(category)).or_else(|| self.find(key.with("_other")))
    }

    #[cfg(feature = "hydrate")]
    fn plural_category(&self, count: u32) -> &'static str {
        super::browser::plural_category(self.tag, count)
    }

    #[cfg(all(feature = "ssr", not(feature = "hydrate")))]
    fn plural_category(&self, count: u32) -> &'static str {
        super::plural::category(self.tag, count)
    }

    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    fn plural_category(&self, _: u32) -> &'static str {
        "other"
    }
}

fn missing(key: Key) -> &'static str {
    #[cfg(feature = "ssr")]
    tracing::error!(key = key.hash(), "missing text");
    #[cfg(not(feature = "ssr"))]
    leptos::logging::error!("The text {} is missing.", key.hash());
    ""
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn texts(tag: &'static str, texts: &[(&str, &'static str)]) -> Texts {
        let mut all = Texts::new(tag);
        for (key, text) in texts {
            all.add(Key::named(key), text);
        }
        all
    }

    #[test]
    fn placeholders_are_replaced_once() {
        let texts = texts("en-GB", &[("a", "{x} and {y}, {x}{z}"), ("b", "an open { brace")]);
        assert_eq!(t!(in texts, "a", x = "{y}", y = 2), "{y} and 2, {y}");
        assert_eq!(t!(in texts, "b", x = 1), "an open  brace");
    }

    #[test]
    fn plural_forms_follow_the_rules_of_the_language() {
        let forms =
            [("f_one", "{count} file"), ("f_few", "{count} few"), ("f_other", "{count} files"), ("g", "{count}!")];
        let english = texts("en-GB", &forms);
        let formatted = |texts: &Texts, count: u32| t!(in texts, "f", count = count);
        assert_eq!([0, 1, 2, 21].map(|count| formatted(&english, count)), ["0 files", "1 file", "2 files", "21 files"]);
        let polish = texts("pl", &forms);
        assert_eq!([1, 2, 5, 22].map(|count| formatted(&polish, count)), ["1 file", "2 few", "5 files", "22 few"]);
        // A text without plural forms, and a formatted number.
        assert_eq!(t!(in english, "g", count = 1), "1!");
        assert_eq!(t!(in english, "f", count = "1,000"), "1,000 files");
    }
}
