//! Internationalization: the texts of the user interface in all languages.
//!
//! Each text has a key, such as `chat.send`, and is defined in `locales/<language>/<area>.json`. The code refers to
//! texts by key: [`t!`](crate::t) returns a text in the language of the page, [`rich!`](crate::rich) a text with
//! elements in it, [`key!`](crate::key) a key that is looked up later, and [`reason!`](crate::reason) the code of an
//! error. `tests/app/i18n.rs` fails for a key that is missing in a language or not used, and for placeholders that
//! differ.
//!
//! A text may contain placeholders, `{name}`. A text that depends on a number has several plural forms, such as
//! `files_one` and `files_other`. The value of `{count}` selects one by the plural rules of the language (CLDR).
//! Elements are written `<link>like this</link>`. HTML that is rendered once for all languages refers to texts
//! (`reference`).
//!
//! The server contains all languages. A browser loads the language of its page, split into [`Bundle`]s; the WASM file
//! contains no texts (`docs/decisions/0003-strings.md` explains why this is not a crate). Each folder in `locales/` is
//! a language, so a new language only needs new files.

// First, because the other modules use its macros.
#[macro_use]
mod macros;

#[cfg(feature = "hydrate")]
mod browser;
mod key;
#[cfg(feature = "ssr")]
mod languages;
#[cfg(feature = "ssr")]
mod plural;
mod reason;
mod reference;
mod rich;
mod texts;

use std::fmt::Display;

#[cfg(feature = "hydrate")]
pub use browser::{LoadError, load};
pub use key::Key;
#[cfg(feature = "ssr")]
pub use languages::Language;
pub use reason::Reason;
pub use reference::{fill_references, push_counted_reference, push_escaped, push_reference};
pub use texts::Texts;

/// A part of the texts of a language, which browsers load as one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bundle {
    /// The name of the file.
    pub name: &'static str,
    /// The areas that it contains.
    pub areas: &'static [&'static str],
}

impl Bundle {
    /// For every page.
    pub const COMMON: Self = Self { name: "common", areas: &["common", "error", "time"] };
    /// For pages of visitors who are not signed in.
    pub const AUTH: Self = Self { name: "auth", areas: &["auth"] };
    /// For chats, and for the frame around all pages of signed-in users.
    pub const CHAT: Self = Self { name: "chat", areas: &["chat"] };
    /// For the list of chats, the settings and the administration.
    pub const ADMIN: Self = Self { name: "admin", areas: &["admin", "sessions", "settings"] };
    /// All bundles.
    pub const ALL: [Self; 4] = [Self::COMMON, Self::AUTH, Self::CHAT, Self::ADMIN];
}

/// The text with this key, in the language of the page.
#[inline(never)]
pub fn text(key: Key) -> &'static str {
    current().text(key)
}

/// The text with this key, with its placeholders replaced by values.
#[inline(never)]
pub fn format(key: Key, values: &[(&str, &dyn Display)]) -> String {
    current().format(key, values)
}

/// The texts in the language of the page.
#[cfg(feature = "hydrate")]
pub fn current() -> &'static Texts {
    browser::current()
}

/// The texts in the language of the page.
///
/// The language is a Leptos context. Without a context, as in tests of single components, it is the default language.
#[cfg(not(feature = "hydrate"))]
pub fn current() -> &'static Texts {
    #[cfg(feature = "ssr")]
    {
        leptos::prelude::use_context::<Language>().unwrap_or_default().texts()
    }
    #[cfg(not(feature = "ssr"))]
    {
        Texts::empty()
    }
}
