//! The texts of one language.

use std::{fmt::Display, sync::LazyLock};

use super::Key;

/// The texts of one language, or those of it that were loaded.
#[derive(Debug, Default)]
pub struct Texts {
    tag: &'static str,
    /// In the order of their keys.
    texts: Vec<(Key, &'static str)>,
}

impl Texts {
    /// None yet, of the language with this tag.
    pub fn new(tag: &'static str) -> Self {
        Self { tag, texts: Vec::new() }
    }

    /// No texts of no language.
    pub fn none() -> &'static Self {
        static NONE: LazyLock<Texts> = LazyLock::new(Texts::default);
        &NONE
    }

    /// The same, and the texts of another.
    #[cfg(feature = "hydrate")]
    pub(super) fn with(mut self, other: &Self) -> Self {
        self.texts.extend(&other.texts);
        self.texts.sort_by_key(|(key, _)| *key);
        self
    }

    /// The language, as a tag after BCP 47.
    pub const fn tag(&self) -> &'static str {
        self.tag
    }

    /// Adds a text; one that is there already stays.
    pub fn add(&mut self, key: Key, text: &'static str) {
        if let Err(at) = self.position(key) {
            self.texts.insert(at, (key, text));
        }
    }

    fn position(&self, key: Key) -> Result<usize, usize> {
        self.texts.binary_search_by_key(&key, |(key, _)| *key)
    }

    /// The text with this key, where there is one.
    pub fn find(&self, key: Key) -> Option<&'static str> {
        self.position(key).ok().map(|at| self.texts[at].1)
    }

    /// Whether there is a text with this key, or one for each number.
    pub fn has(&self, key: Key) -> bool {
        self.find(key).or_else(|| self.find(key.with("_other"))).is_some()
    }

    /// The text with this key. One that is missing is empty, and logged.
    // Pages name hundreds of texts. Inlined, each would bring the search with it.
    #[inline(never)]
    pub fn text(&self, key: Key) -> &'static str {
        self.find(key).unwrap_or_else(|| missing(key))
    }

    /// The text with this key, with values in the places of its placeholders. A value named `count` chooses between its
    /// forms.
    pub fn format(&self, key: Key, values: &[(&str, &dyn Display)]) -> String {
        let count = values.iter().find(|(name, _)| *name == "count").map(|(_, count)| count.to_string());
        let form = count.and_then(|count| self.form(key, &count));
        let mut text = form.unwrap_or_else(|| self.text(key));
        let mut filled = String::with_capacity(text.len() + 16);
        // What a value says is never looked through for placeholders.
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

    /// The form of a text for this number.
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
    tracing::error!(key = key.hash(), "a text is missing");
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
    fn values_stand_in_their_places_and_are_not_read() {
        let texts = texts("en-GB", &[("a", "{x} and {y}, {x}{z}"), ("b", "an open { brace")]);
        assert_eq!(t!(in texts, "a", x = "{y}", y = 2), "{y} and 2, {y}");
        assert_eq!(t!(in texts, "b", x = 1), "an open  brace");
    }

    #[test]
    fn forms_follow_the_rules_of_the_language() {
        let forms =
            [("f_one", "{count} file"), ("f_few", "{count} few"), ("f_other", "{count} files"), ("g", "{count}!")];
        let english = texts("en-GB", &forms);
        let told = |texts: &Texts, count: u32| t!(in texts, "f", count = count);
        assert_eq!([0, 1, 2, 21].map(|count| told(&english, count)), ["0 files", "1 file", "2 files", "21 files"]);
        let polish = texts("pl", &forms);
        assert_eq!([1, 2, 5, 22].map(|count| told(&polish, count)), ["1 file", "2 few", "5 files", "22 few"]);
        // A text without forms, and a number that is written out.
        assert_eq!(t!(in english, "g", count = 1), "1!");
        assert_eq!(t!(in english, "f", count = "1,000"), "1,000 files");
    }
}
