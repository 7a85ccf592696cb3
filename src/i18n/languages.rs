//! The available languages: one for each folder of `locales/`.

use std::{
    collections::BTreeMap,
    fmt::{self, Debug, Formatter, Write as _},
    hash::{DefaultHasher, Hash, Hasher},
    iter,
    sync::{LazyLock, OnceLock},
};

use include_dir::{Dir, File, include_dir};

use super::{Bundle, Key, Texts};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/locales");

/// The default language. Its texts are complete and are the fallback for missing texts of other languages.
const BASE_LANGUAGE: &str = "en-GB";

/// The version of the format of the files that browsers load.
const FORMAT_VERSION: u32 = 1;

/// The maximum number of languages of an `Accept-Language` header that are parsed.
const MAX_ACCEPTED_LANGUAGES: usize = 20;

/// An available language.
#[derive(Clone, Copy)]
pub struct Language(&'static LanguageData);

struct LanguageData {
    tag: &'static str,
    texts: Texts,
    /// A hash of the files that browsers load, so that they can be cached permanently.
    version: String,
    /// The files that browsers load, in the order of [`Bundle::ALL`]; built at the first request.
    files: [OnceLock<String>; Bundle::ALL.len()],
}

static LANGUAGES: LazyLock<Vec<LanguageData>> = LazyLock::new(|| {
    let tags: Vec<&str> = FILES.dirs().filter_map(|folder| folder.path().to_str()).collect();
    let mut languages: Vec<LanguageData> = tags.iter().map(|tag| LanguageData::read(tag, &tags)).collect();
    languages.sort_by_key(|language| (language.tag != BASE_LANGUAGE, language.tag));
    languages
});

/// The primary language subtag: `de` of `de-AT`.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// A language, followed by its fallbacks: languages with the same primary subtag, then the default language.
fn fallbacks<'a>(tag: &'a str, tags: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let related = tags.iter().copied().filter(move |other| primary(other) == primary(tag) && *other != tag);
    iter::once(tag).chain(related).chain([BASE_LANGUAGE])
}

/// The areas of a language with their texts.
fn areas(tag: &str) -> impl Iterator<Item = (&'static str, BTreeMap<String, String>)> {
    let files = FILES.get_dir(tag).into_iter().flat_map(Dir::files);
    let is_json = |file: &&File<'_>| file.path().extension().is_some_and(|ending| ending == "json");
    files.filter(is_json).filter_map(|file| {
        // Tests ensure that every file can be parsed.
        Some((file.path().file_stem()?.to_str()?, serde_json::from_slice(file.contents()).ok()?))
    })
}

impl LanguageData {
    /// Reads the texts of a language. Missing texts are taken from its fallbacks.
    fn read(tag: &'static str, tags: &[&'static str]) -> Self {
        let mut texts = Texts::new(tag);
        let mut hasher = DefaultHasher::new();
        FORMAT_VERSION.hash(&mut hasher);
        Bundle::ALL.map(|bundle| (bundle.name, bundle.areas)).hash(&mut hasher);
        for tag in fallbacks(tag, tags) {
            for (area, entries) in areas(tag) {
                for (name, text) in entries {
                    (area, &name, &text).hash(&mut hasher);
                    texts.add(key_of(area, &name), Box::leak(text.into_boxed_str()));
                }
            }
        }
        Self { tag, texts, version: format!("{:016x}", hasher.finish()), files: Default::default() }
    }
}

impl Language {
    /// All languages, in display order.
    pub fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(Self)
    }

    /// The language with this tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::all().find(|language| language.tag() == tag)
    }

    /// The best match for an `Accept-Language` header (RFC 9110, section 12.5.4).
    pub fn negotiate(accept_language: &str) -> Option<Self> {
        let mut accepted: Vec<(&str, f32)> = accept_language
            .split(',')
            .take(MAX_ACCEPTED_LANGUAGES)
            .map(|range| {
                let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
                let weight = weight.trim().trim_start_matches(['q', 'Q']).strip_prefix('=');
                (tag.trim(), weight.and_then(|weight| weight.trim().parse().ok()).unwrap_or(0.0))
            })
            .filter(|(_, weight)| *weight > 0.0)
            .collect();
        accepted.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        accepted.into_iter().find_map(|(tag, _)| {
            let exact = Self::all().find(|language| language.tag().eq_ignore_ascii_case(tag));
            let related = || Self::all().find(|language| primary(language.tag()).eq_ignore_ascii_case(primary(tag)));
            exact.or_else(related)
        })
    }

    /// The BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        self.0.tag
    }

    /// The native name.
    pub fn name(self) -> &'static str {
        t!(in self.texts(), "common.language_name")
    }

    /// The texts.
    pub const fn texts(self) -> &'static Texts {
        &self.0.texts
    }

    /// The version of the texts, which changes with their content.
    pub fn version(self) -> &'static str {
        &self.0.version
    }

    /// The URL path of the files for browsers. It contains the version.
    pub fn folder(self) -> String {
        format!("/locales/{}/{}", self.tag(), self.version())
    }

    /// A document of `locales/`, such as `terms`, in this language or its first fallback.
    pub fn document(self, name: &str) -> Option<&'static str> {
        let tags: Vec<&str> = Self::all().map(Self::tag).collect();
        fallbacks(self.tag(), &tags).find_map(|tag| FILES.get_file(format!("{tag}/{name}.md"))?.contents_utf8())
    }

    /// The file of a bundle for browsers: one text per line, preceded by its key in base 36.
    pub fn file(self, bundle: Bundle) -> &'static str {
        let at = Bundle::ALL.iter().position(|other| *other == bundle).unwrap_or_default();
        self.0.files[at].get_or_init(|| self.build_file(bundle))
    }

    fn build_file(self, bundle: Bundle) -> String {
        let mut file = String::new();
        let mut keys: Vec<Key> = LANGUAGES.iter().flat_map(|language| keys_of(language.tag, bundle)).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            if let Some(text) = self.texts().find(key) {
                // Writing to a string cannot fail.
                let _ = writeln!(file, "{} {text}", base36(key.hash()));
            }
        }
        file
    }
}

/// The key of a text in the file of an area.
fn key_of(area: &str, name: &str) -> Key {
    Key::named(area).with(".").with(name)
}

fn keys_of(tag: &str, bundle: Bundle) -> impl Iterator<Item = Key> {
    let own = areas(tag).filter(move |(area, _)| bundle.areas.contains(area));
    own.flat_map(|(area, texts)| texts.into_keys().map(move |name| key_of(area, &name)))
}

fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit(number % 36, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

impl Default for Language {
    fn default() -> Self {
        Self(&LANGUAGES[0])
    }
}

impl Debug for Language {
    /// Only the tag, because the texts are long.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Language").field(&self.tag()).finish()
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.0.tag == other.0.tag
    }
}

impl Eq for Language {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn accept_language_selects_the_best_match() {
        let negotiated = |header: &str| Language::negotiate(header).map(Language::tag);
        assert_eq!(negotiated("de-AT,de;q=0.9,en;q=0.5"), Some("de"));
        assert_eq!(negotiated("en-US,en;q=0.9"), Some("en-US"));
        assert_eq!(negotiated("en"), Some("en-GB"));
        assert_eq!(negotiated("fr-FR, DE;q=0.4, en;q=0.3"), Some("de"));
        assert_eq!(negotiated("en;q=0.1, de;q=0.8"), Some("de"));
        assert_eq!(negotiated("de;q=0, en"), Some("en-GB"));
        assert_eq!(negotiated("en ; q=0.5 , de ; Q=0.9"), Some("de"));
        for strange in ["", "tlh", "*", "de;q=x", ";;;,,,=", &"fr,".repeat(10_000)] {
            assert_eq!(negotiated(strange), None, "{strange:.20}");
        }
    }

    #[test]
    fn a_dialect_falls_back_to_the_base_language() {
        let [british, american] = ["en-GB", "en-US"].map(|tag| Language::from_tag(tag).expect("a language"));
        assert_ne!(british.name(), american.name());
        assert_ne!(british.folder(), american.folder());
        assert_eq!(t!(in british.texts(), "common.cancel"), t!(in american.texts(), "common.cancel"));
        assert_eq!(Language::default(), british);
    }

    #[test]
    fn the_bundles_contain_each_text_once() {
        for language in Language::all() {
            let mut seen = HashSet::new();
            for bundle in Bundle::ALL {
                for line in language.file(bundle).lines() {
                    let (key, text) = line.split_once(' ').expect("a key and a text");
                    let key = Key::from_hash(u32::from_str_radix(key, 36).expect("a number"));
                    assert_eq!(language.texts().find(key), Some(text));
                    assert!(seen.insert(key), "{text}");
                }
            }
        }
    }
}
