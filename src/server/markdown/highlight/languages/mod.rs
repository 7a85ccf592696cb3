//! The languages as tables, and how to find one.

mod data;
mod scripting;
mod systems;

use super::Token;

/// Which scanner reads a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// Words, numbers, texts, comments.
    Code,
    /// Tags.
    Markup,
    /// Lines of `key: value`.
    Yaml,
    /// Lines of `key = value` and `[sections]`.
    Keyed,
    /// Patches.
    Diff,
}

/// A kind of text literal.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// A backslash takes the next character with it.
    pub(super) escapes: bool,
    /// It may span lines.
    pub(super) lines: bool,
}

const fn text(open: &'static str, close: &'static str, escapes: bool, lines: bool) -> Text {
    Text { open, close, escapes, lines }
}

const DOUBLE: Text = text("\"", "\"", true, false);
const SINGLE: Text = text("'", "'", true, false);
const BACKTICK: Text = text("`", "`", true, true);
/// Quotes that are not special inside: SQL doubles them, which reads as two texts.
const VERBATIM: Text = text("'", "'", false, true);
const DOUBLE_LINES: Text = text("\"", "\"", true, true);
const TRIPLE_DOUBLE: Text = text("\"\"\"", "\"\"\"", true, true);
const TRIPLE_SINGLE: Text = text("'''", "'''", true, true);

/// A language: its names in fences, and what its scanner needs to know.
#[derive(Debug)]
pub(in super::super) struct Language {
    /// The first is the one for classes; all lower case.
    pub(super) names: &'static [&'static str],
    pub(super) kind: Kind,
    pub(super) line_comments: &'static [&'static str],
    pub(super) block_comments: &'static [(&'static str, &'static str)],
    pub(super) nested_comments: bool,
    /// Longer opening marks before shorter ones.
    pub(super) texts: &'static [Text],
    /// Words, separated by blanks.
    pub(super) keywords: &'static str,
    pub(super) types: &'static str,
    pub(super) literals: &'static str,
    /// Characters beside letters, digits and `_` that words may hold.
    pub(super) word_chars: &'static str,
    pub(super) ignore_case: bool,
    /// A word that begins with a capital is a type.
    pub(super) capital_types: bool,
    /// A word before `(` is a function.
    pub(super) calls: bool,
    /// `f"…"`.
    pub(super) prefixed_texts: bool,
    /// A quoted text before `:` is a key.
    pub(super) string_keys: bool,
    /// `#include`.
    pub(super) preprocessor: bool,
    /// `#[derive]`.
    pub(super) attributes: bool,
    /// `@decorator`.
    pub(super) decorators: bool,
    /// `$name`.
    pub(super) variables: bool,
    /// `:name`.
    pub(super) symbols: bool,
    /// `'a`, and with it Rust's raw strings.
    pub(super) lifetimes: bool,
    /// `/…/`.
    pub(super) regexes: bool,
}

/// What most languages of the C family share; tables name the differences.
const BASE: Language = Language {
    names: &[],
    kind: Kind::Code,
    line_comments: &["//"],
    block_comments: &[("/*", "*/")],
    nested_comments: false,
    texts: &[DOUBLE, SINGLE],
    keywords: "",
    types: "",
    literals: "true false null",
    word_chars: "",
    ignore_case: false,
    capital_types: true,
    calls: true,
    prefixed_texts: false,
    string_keys: false,
    preprocessor: false,
    attributes: false,
    decorators: false,
    variables: false,
    symbols: false,
    lifetimes: false,
    regexes: false,
};

impl Language {
    /// The language that a fence names, where it is known.
    pub(in super::super) fn find(name: &str) -> Option<&'static Self> {
        let name = name.to_ascii_lowercase();
        all().find(|language| language.names.contains(&name.as_str()))
    }

    pub(super) const fn has_raw_strings(&self) -> bool {
        self.lifetimes
    }

    pub(super) fn is_word_start(&self, c: char) -> bool {
        c.is_alphabetic() || c == '_' || (c != '-' && self.word_chars.contains(c))
    }

    pub(super) fn is_word(&self, c: char) -> bool {
        c.is_alphanumeric() || c == '_' || self.word_chars.contains(c)
    }

    /// What a word is, given what follows it on the line.
    pub(super) fn classify(&self, word: &str, after: &str) -> Token {
        if self.holds(self.keywords, word) {
            Token::Keyword
        } else if self.holds(self.literals, word) {
            Token::Literal
        } else if self.holds(self.types, word) {
            Token::Type
        } else if self.calls && (after.starts_with('(') || (self.lifetimes && after.starts_with("!("))) {
            Token::Function
        } else if self.capital_types && word.starts_with(char::is_uppercase) {
            // All capitals are constants by habit.
            if word.len() > 1 && !word.contains(char::is_lowercase) { Token::Literal } else { Token::Type }
        } else {
            Token::Plain
        }
    }

    fn holds(&self, words: &str, word: &str) -> bool {
        if self.ignore_case {
            words.split(' ').any(|known| known.eq_ignore_ascii_case(word))
        } else {
            words.split(' ').any(|known| known == word)
        }
    }
}

/// All languages.
pub(super) fn all() -> impl Iterator<Item = &'static Language> {
    systems::LANGUAGES.iter().chain(scripting::LANGUAGES).chain(data::LANGUAGES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_belong_to_one_language() {
        let mut seen = std::collections::HashSet::new();
        for language in all() {
            assert!(!language.names.is_empty());
            for name in language.names {
                assert_eq!(*name, name.to_ascii_lowercase());
                assert!(seen.insert(*name), "{name}");
            }
        }
    }

    #[test]
    fn marks_that_begin_alike_stand_longest_first() {
        for language in all() {
            for (at, text) in language.texts.iter().enumerate() {
                assert!(
                    language.texts[..at].iter().all(|before| !text.open.starts_with(before.open)),
                    "{:?}",
                    language.names
                );
            }
        }
    }
}
