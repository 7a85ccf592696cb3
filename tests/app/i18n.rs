//! Translations: the code and the locale files agree, and users see everything in their language.

mod pages;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use colloquy::i18n::{Bundle, Key};
use icu_plurals::{PluralCategory, PluralRules};
use sources::{Use, uses};

/// The reference language.
const BASE: &str = "en-GB";
/// The plural categories of CLDR.
const FORMS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];
/// Areas that no browser loads.
const SERVER_ONLY: &[&str] = &["mail"];

type Texts = BTreeMap<String, String>;

/// The texts of every language, by tag and key.
fn languages() -> BTreeMap<String, Texts> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales");
    let mut languages = BTreeMap::new();
    for folder in fs::read_dir(root).expect("the languages").flatten() {
        let tag = folder.file_name().into_string().expect("a tag");
        let texts: &mut Texts = languages.entry(tag).or_default();
        for file in fs::read_dir(folder.path()).expect("a language").flatten().map(|file| file.path()) {
            if file.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let area = file.file_stem().and_then(|stem| stem.to_str()).expect("an area").to_owned();
            let content = fs::read_to_string(&file).expect("a file of texts");
            let read: BTreeMap<String, String> =
                serde_json::from_str(&content).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            // A duplicate key would hide the first one.
            assert_eq!(content.matches("\": \"").count(), read.len(), "{}: one text a line, each once", file.display());
            texts.extend(read.into_iter().map(|(name, text)| (format!("{area}.{name}"), text)));
        }
    }
    assert!(languages.len() >= 3 && languages.contains_key(BASE), "the languages are not where they were");
    languages
}

/// A key without its plural category, if it has one.
fn without_form<'a>(key: &'a str, texts: &Texts) -> &'a str {
    let form = key
        .rsplit_once('_')
        .filter(|(stem, form)| FORMS.contains(form) && texts.contains_key(&format!("{stem}_other")));
    form.map_or(key, |(stem, _)| stem)
}

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
}

fn tags(text: &str) -> BTreeSet<&str> {
    let names = text.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0));
    names.filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '/')).collect()
}

#[test]
fn the_code_uses_every_text_and_no_other() {
    let texts = &languages()[BASE];
    let known: BTreeSet<&str> = texts.keys().map(|key| without_form(key, texts)).collect();
    let uses = uses();
    assert!(uses.len() > 500, "the texts are not used as they were: {}", uses.len());
    let used: BTreeSet<&str> = uses.iter().map(|found| found.key.as_str()).collect();
    let missing: Vec<_> = used.difference(&known).collect();
    let unused: Vec<_> = known.difference(&used).collect();
    assert!(missing.is_empty() && unused.is_empty(), "missing: {missing:#?}\nunused: {unused:#?}");
}

#[test]
fn every_placeholder_gets_a_value() {
    let languages = languages();
    let mut wrong = Vec::new();
    for found in uses() {
        for (tag, texts) in &languages {
            let forms = FORMS.map(|form| format!("{}_{form}", found.key));
            for (key, text) in texts.iter().filter(|(key, _)| **key == found.key || forms.contains(key)) {
                let needed = if found.is_rich { tags(text) } else { placeholders(text) };
                let named = |name: &str| found.values.iter().any(|value| value == name.trim_matches('/'));
                let lost: Vec<_> =
                    needed.into_iter().filter(|name| !found.is_looked_up_later && !named(name)).collect();
                if !lost.is_empty() {
                    wrong.push(format!("{} in {}: {tag} {key} needs {lost:?}", found.key, found.file));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_language_has_the_same_texts() {
    let languages = languages();
    let base = &languages[BASE];
    let mut wrong = Vec::new();
    for (tag, texts) in languages.iter().filter(|(tag, _)| *tag != BASE) {
        let is_dialect = tag.split('-').next() == BASE.split('-').next();
        for key in texts.keys().filter(|key| !base.contains_key(without_form(key, texts)) && !base.contains_key(*key)) {
            if !base.contains_key(&format!("{}_other", without_form(key, texts))) {
                wrong.push(format!("{tag} has {key}, which {BASE} has not"));
            }
        }
        for (key, text) in base {
            let Some(own) = texts.get(key) else {
                if !is_dialect {
                    wrong.push(format!("{tag} lacks {key}"));
                }
                continue;
            };
            // Each language formats times and dates differently.
            if !key.starts_with("time.")
                && !is_dialect
                && (placeholders(own), tags(own)) != (placeholders(text), tags(text))
            {
                wrong.push(format!("{tag} {key}: other placeholders or elements"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn plural_texts_have_all_forms_of_their_language() {
    let mut wrong = Vec::new();
    for (tag, texts) in languages() {
        let locale: icu_plurals::PluralRulesPreferences =
            tag.parse::<icu_locale_core::Locale>().expect("a tag after BCP 47").into();
        let rules = PluralRules::try_new_cardinal(locale).expect("the rules of a language");
        let stems = texts.keys().filter_map(|key| key.strip_suffix("_other"));
        for (stem, form) in stems.flat_map(|stem| rules.categories().map(move |form| (stem, name_of(form)))) {
            if !texts.contains_key(&format!("{stem}_{form}")) {
                wrong.push(format!("{tag} lacks {stem}_{form}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn name_of(form: PluralCategory) -> &'static str {
    match form {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}

#[test]
fn texts_are_tidy() {
    let mut wrong = Vec::new();
    for (tag, texts) in languages() {
        for (key, text) in texts {
            let is_untidy =
                text.trim() != text || text.is_empty() || text.contains(['\n', '\r', '\t']) || text.contains("  ");
            if is_untidy {
                wrong.push(format!("{tag} {key}: {text:?}"));
            }
            // German texts use the informal "du".
            let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).collect();
            if tag == "de"
                && words.windows(2).any(|pair| matches!(pair[0], "Ihre" | "Ihren" | "Ihrem" | "Ihrer" | "Ihnen"))
            {
                wrong.push(format!("{tag} {key}: {text:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_two_keys_have_the_same_hash() {
    let mut numbers: BTreeMap<Key, String> = BTreeMap::new();
    for key in languages().into_values().flat_map(Texts::into_keys) {
        let former = numbers.insert(Key::named(&key), key.clone());
        assert!(former.as_ref().is_none_or(|former| *former == key), "{key} and {former:?}: rename one");
    }
}

/// The text areas that the files of a folder may use besides the common ones: those that the browser has loaded when it
/// renders them. The longest matching prefix counts.
const AREAS: &[(&str, &[&str])] = &[
    ("pages/auth", &["auth"]),
    ("pages/legal", &["auth"]),
    ("pages/chat", &["chat"]),
    ("pages/shell", &["chat"]),
    ("pages/shell/error_page", &[]),
    ("pages/toolkit", &[]),
    // Only for signed-in users.
    ("pages/toolkit/reauth", &["chat"]),
    ("pages/admin", &["chat", "admin", "sessions", "settings"]),
    ("pages/sessions", &["chat", "admin", "sessions", "settings"]),
    ("pages/settings", &["chat", "admin", "sessions", "settings"]),
    ("app", &[]),
];

#[test]
fn pages_use_only_what_a_browser_has_loaded() {
    let mut wrong = Vec::new();
    for Use { key, file, .. } in uses() {
        let area = key.split('.').next().expect("an area");
        if SERVER_ONLY.contains(&area) && !file.starts_with("server/") {
            wrong.push(format!("{file} uses {key}, which no browser loads"));
        }
        let rule = AREAS.iter().filter(|(folder, _)| file.starts_with(folder)).max_by_key(|(folder, _)| folder.len());
        if let Some((_, areas)) = rule
            && !Bundle::COMMON.areas.contains(&area)
            && !areas.contains(&area)
        {
            wrong.push(format!("{file} uses {key}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let bundled: BTreeSet<&str> = Bundle::ALL.iter().flat_map(|bundle| bundle.areas).copied().collect();
    let areas: BTreeSet<String> =
        languages()[BASE].keys().map(|key| key.split('.').next().expect("an area").to_owned()).collect();
    for area in areas {
        assert_ne!(bundled.contains(area.as_str()), SERVER_ONLY.contains(&area.as_str()), "{area}");
    }
}
