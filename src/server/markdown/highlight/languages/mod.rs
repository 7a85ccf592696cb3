//! The language tables, and their lookup.

mod data;
mod scripting;
mod systems;

use super::Token;

/// The scanner for a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum LanguageKind {
    /// Words, numbers, strings, comments.
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

/// A kind of string literal.
#[derive(Debug)]
pub(super) struct StringLiteral {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// A backslash escapes the next character.
    pub(super) escapes: bool,
    /// The string may span lines.
    pub(super) multiline: bool,
}

const fn string(open: &'static str, close: &'static str, escapes: bool, multiline: bool) -> StringLiteral {
    StringLiteral { open, close, escapes, multiline }
}

const DOUBLE: StringLiteral = string("\"", "\"", true, false);
const SINGLE: StringLiteral = string("'", "'", true, false);
const BACKTICK: StringLiteral = string("`", "`", true, true);
/// Strings without escapes. SQL doubles the quotes, which scans as two strings.
const VERBATIM: StringLiteral = string("'", "'", false, true);
const DOUBLE_LINES: StringLiteral = string("\"", "\"", true, true);
const TRIPLE_DOUBLE: StringLiteral = string("\"\"\"", "\"\"\"", true, true);
const TRIPLE_SINGLE: StringLiteral = string("'''", "'''", true, true);

/// A language: its names in code fences, and the rules for its scanner.
#[derive(Debug)]
pub(in super::super) struct Language {
    /// All in lower case.
    pub(super) names: &'static [&'static str],
    pub(super) kind: LanguageKind,
    pub(super) line_comments: &'static [&'static str],
    pub(super) block_comments: &'static [(&'static str, &'static str)],
    pub(super) nested_comments: bool,
    /// Longer opening marks before shorter ones.
    pub(super) strings: &'static [StringLiteral],
    /// Words, separated by spaces.
    pub(super) keywords: &'static str,
    pub(super) types: &'static str,
    pub(super) literals: &'static str,
    /// Characters besides letters, digits and `_` that words may contain.
    pub(super) word_chars: &'static str,
    pub(super) ignore_case: bool,
    /// A word that begins with a capital is a type.
    pub(super) capital_types: bool,
    /// A word before `(` is a function.
    pub(super) calls: bool,
    /// `f"…"`.
    pub(super) prefixed_strings: bool,
    /// A string before `:` is a key.
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
    /// `'a`, and also Rust's raw strings.
    pub(super) lifetimes: bool,
    /// `/…/`.
    pub(super) regexes: bool,
}

/// The defaults, which fit most languages of the C family. The tables list the differences.
const BASE: Language = Language {
    names: &[],
    kind: LanguageKind::Code,
    line_comments: &["//"],
    block_comments: &[("/*", "*/")],
    nested_comments: false,
    strings: &[DOUBLE, SINGLE],
    keywords: "",
    types: "",
    literals: "true false null",
    word_chars: "",
    ignore_case: false,
    capital_types: true,
    calls: true,
    prefixed_strings: false,
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
    /// The language with this name in a code fence, if it is known.
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

    /// Classifies a word, given the text after it on the line.
    pub(super) fn classify(&self, word: &str, after: &str) -> Token {
        if self.contains_word(self.keywords, word) {
            Token::Keyword
        } else if self.contains_word(self.literals, word) {
            Token::Literal
        } else if self.contains_word(self.types, word) {
            Token::Type
        } else if self.calls && (after.starts_with('(') || (self.lifetimes && after.starts_with("!("))) {
            Token::Function
        } else if self.capital_types && word.starts_with(char::is_uppercase) {
            // By convention, names in capitals are constants.
            if word.len() > 1 && !word.contains(char::is_lowercase) { Token::Literal } else { Token::Type }
        } else {
            Token::Plain
        }
    }

    fn contains_word(&self, words: &str, word: &str) -> bool {
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
    fn longer_opening_marks_come_before_their_prefixes() {
        for language in all() {
            for (at, string) in language.strings.iter().enumerate() {
                assert!(
                    language.strings[..at].iter().all(|before| !string.open.starts_with(before.open)),
                    "{:?}",
                    language.names
                );
            }
        }
    }
}
