//! Plural rules.

use std::{cell::RefCell, collections::HashMap};

use icu_plurals::{PluralCategory, PluralRules};

thread_local! {
    /// The rules, loaded once per language and thread.
    static RULES: RefCell<HashMap<&'static str, Option<PluralRules>>> = RefCell::default();
}

/// The CLDR plural category of a number in the language with this tag: `one`, `other` and so on.
pub(super) fn category(tag: &'static str, count: u32) -> &'static str {
    RULES.with_borrow_mut(|rules| {
        let rules = rules.entry(tag).or_insert_with(|| {
            let locale: icu_locale_core::Locale = tag.parse().ok()?;
            PluralRules::try_new_cardinal(locale.into()).ok()
        });
        match rules.as_ref().map(|rules| rules.category_for(count)) {
            Some(PluralCategory::Zero) => "zero",
            Some(PluralCategory::One) => "one",
            Some(PluralCategory::Two) => "two",
            Some(PluralCategory::Few) => "few",
            Some(PluralCategory::Many) => "many",
            Some(PluralCategory::Other) | None => "other",
        }
    })
}
