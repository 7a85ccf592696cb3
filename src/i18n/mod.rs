//! The texts of the interface, in every language.
//!
//! A text has a key, such as `chat.send`, and stands in `locales/<language>/<area>.json` under it. The code names keys
//! only: [`t!`](crate::t) gives a text in the language of the reader, [`rich!`](crate::rich) one with elements in it,
//! [`key!`](crate::key) a key that is looked up later, and [`reason!`](crate::reason) the code of an error.
//! `tests/app/i18n.rs` fails on a key that is missing in a language or used nowhere, and on placeholders that differ.
//!
//! A text may hold placeholders, `{name}`. A text that depends on a number is several: `files_one`, `files_other`, chosen by
//! the value of `{count}` after the rules of the language (CLDR). Elements are written `<link>like this</link>`.
//!
//! The program holds all languages; a browser loads the one that its page is in, in the pieces of [`Bundle`], and none of
//! it lies in the WASM (`docs/decisions/0003-strings.md` says why this is not a crate). The program knows a language by its
//! folder: a new one needs files only.

// First: the others use its macros.
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
mod rich;
mod texts;

use std::fmt::Display;

#[cfg(feature = "hydrate")]
pub use browser::{LoadError, load};
pub use key::Key;
#[cfg(feature = "ssr")]
pub use languages::Language;
pub use reason::Reason;
pub use texts::Texts;

/// What a browser loads at once of a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bundle {
    /// The name of its file.
    pub name: &'static str,
    /// The areas in it.
    pub areas: &'static [&'static str],
}

impl Bundle {
    /// What every page needs.
    pub const COMMON: Self = Self { name: "common", areas: &["common", "error", "time"] };
    /// For people who are not signed in.
    pub const AUTH: Self = Self { name: "auth", areas: &["auth"] };
    /// What people chat with, and the frame around the pages of people who are signed in.
    pub const CHAT: Self = Self { name: "chat", areas: &["chat"] };
    /// For looking after chats, one's account, and the installation.
    pub const ADMIN: Self = Self { name: "admin", areas: &["admin", "sessions", "settings"] };
    /// Every bundle.
    pub const ALL: [Self; 4] = [Self::COMMON, Self::AUTH, Self::CHAT, Self::ADMIN];
}

/// The text with this key, in the language of the page that is being made or shown.
#[inline(never)]
pub fn text(key: Key) -> &'static str {
    current().text(key)
}

/// The same with values in the places of its placeholders.
#[inline(never)]
pub fn format(key: Key, values: &[(&str, &dyn Display)]) -> String {
    current().format(key, values)
}

/// The texts in the language of the page that is being made or shown.
#[cfg(feature = "hydrate")]
pub fn current() -> &'static Texts {
    browser::current()
}

/// The texts in the language of the page that is being made or shown.
///
/// They are a context of the page. Where there is none, as in tests of single components, it is the first language.
#[cfg(not(feature = "hydrate"))]
pub fn current() -> &'static Texts {
    #[cfg(feature = "ssr")]
    {
        leptos::prelude::use_context::<Language>().unwrap_or_default().texts()
    }
    #[cfg(not(feature = "ssr"))]
    {
        Texts::none()
    }
}
