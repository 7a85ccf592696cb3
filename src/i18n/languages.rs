//! The languages that the program speaks: one for each folder of `locales/`.

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

/// The language whose texts are complete, and stand in for what a dialect of it leaves out.
const BASE: &str = "en-GB";

/// The version of the form in which browsers load texts.
const FORMAT: u32 = 1;

/// Languages of an `Accept-Language` that are looked at.
const MOST_WANTED: usize = 20;

/// A language that people can choose.
#[derive(Clone, Copy)]
pub struct Language(&'static Known);

struct Known {
    tag: &'static str,
    texts: Texts,
    /// Changes with what browsers load, so that they may keep it.
    version: String,
    /// What browsers load, in the order of [`Bundle::ALL`]; made when one asks for it.
    files: [OnceLock<String>; Bundle::ALL.len()],
}

static LANGUAGES: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let tags: Vec<&str> = FILES.dirs().filter_map(|folder| folder.path().to_str()).collect();
    let mut languages: Vec<Known> = tags.iter().map(|tag| Known::read(tag, &tags)).collect();
    languages.sort_by_key(|language| (language.tag != BASE, language.tag));
    languages
});

/// The language that a tag begins with: `de` of `de-AT`.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// A language, and those that stand in for what it leaves out: others of the same primary language, then the complete one.
fn stand_ins<'a>(tag: &'a str, tags: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let related = tags.iter().copied().filter(move |other| primary(other) == primary(tag) && *other != tag);
    iter::once(tag).chain(related).chain([BASE])
}

/// The areas of a language, each with its texts.
fn areas(tag: &str) -> impl Iterator<Item = (&'static str, BTreeMap<String, String>)> {
    let files = FILES.get_dir(tag).into_iter().flat_map(Dir::files);
    let is_json = |file: &&File<'_>| file.path().extension().is_some_and(|ending| ending == "json");
    files.filter(is_json).filter_map(|file| {
        // The tests read every file, so that none is built in that cannot be read.
        Some((file.path().file_stem()?.to_str()?, serde_json::from_slice(file.contents()).ok()?))
    })
}

impl Known {
    /// The texts of a language. What it leaves out is taken from one that is nearest to it.
    fn read(tag: &'static str, tags: &[&'static str]) -> Self {
        let mut texts = Texts::new(tag);
        let mut hasher = DefaultHasher::new();
        FORMAT.hash(&mut hasher);
        Bundle::ALL.map(|bundle| (bundle.name, bundle.areas)).hash(&mut hasher);
        for tag in stand_ins(tag, tags) {
            for (area, named) in areas(tag) {
                for (name, text) in named {
                    (area, &name, &text).hash(&mut hasher);
                    texts.add(key_of(area, &name), Box::leak(text.into_boxed_str()));
                }
            }
        }
        Self { tag, texts, version: format!("{:016x}", hasher.finish()), files: Default::default() }
    }
}

impl Language {
    /// Every language, in the order in which they are offered.
    pub fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(Self)
    }

    /// The language with this tag.
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::all().find(|language| language.tag() == tag)
    }

    /// The language that suits best what a browser asks for, by its `Accept-Language` (RFC 9110, section 12.5.4).
    pub fn negotiate(accept_language: &str) -> Option<Self> {
        let mut wanted: Vec<(&str, f32)> = accept_language
            .split(',')
            .take(MOST_WANTED)
            .map(|range| {
                let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
                let weight = weight.trim().trim_start_matches(['q', 'Q']).strip_prefix('=');
                (tag.trim(), weight.and_then(|weight| weight.trim().parse().ok()).unwrap_or(0.0))
            })
            .filter(|(_, weight)| *weight > 0.0)
            .collect();
        wanted.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        wanted.into_iter().find_map(|(tag, _)| {
            let exact = Self::all().find(|language| language.tag().eq_ignore_ascii_case(tag));
            let related = || Self::all().find(|language| primary(language.tag()).eq_ignore_ascii_case(primary(tag)));
            exact.or_else(related)
        })
    }

    /// The tag, after BCP 47.
    pub const fn tag(self) -> &'static str {
        self.0.tag
    }

    /// What its speakers call it.
    pub fn name(self) -> &'static str {
        t!(in self.texts(), "common.language_name")
    }

    /// Its texts.
    pub const fn texts(self) -> &'static Texts {
        &self.0.texts
    }

    /// Changes with the texts.
    pub fn version(self) -> &'static str {
        &self.0.version
    }

    /// The folder of its files for browsers. The path changes with the texts.
    pub fn folder(self) -> String {
        format!("/locales/{}/{}", self.tag(), self.version())
    }

    /// A document of `locales/`, such as `terms`, in this language, or the one that stands in for it.
    pub fn document(self, name: &str) -> Option<&'static str> {
        let tags: Vec<&str> = Self::all().map(Self::tag).collect();
        stand_ins(self.tag(), &tags).find_map(|tag| FILES.get_file(format!("{tag}/{name}.md"))?.contents_utf8())
    }

    /// The file that browsers load of a bundle: one text a line, its key in base 36 before it.
    pub fn file(self, bundle: Bundle) -> &'static str {
        let at = Bundle::ALL.iter().position(|known| *known == bundle).unwrap_or_default();
        self.0.files[at].get_or_init(|| self.make_file(bundle))
    }

    fn make_file(self, bundle: Bundle) -> String {
        let mut file = String::new();
        let mut keys: Vec<Key> = LANGUAGES.iter().flat_map(|known| keys_of(known.tag, bundle)).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            if let Some(text) = self.texts().find(key) {
                // Writing to a string does not fail.
                let _ = writeln!(file, "{} {text}", base36(key.hash()));
            }
        }
        file
    }
}

/// The key of a text of an area's file.
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
    /// Its tag alone: the texts are long.
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
    fn browsers_get_the_nearest_language() {
        let told = |asked: &str| Language::negotiate(asked).map(Language::tag);
        assert_eq!(told("de-AT,de;q=0.9,en;q=0.5"), Some("de"));
        assert_eq!(told("en-US,en;q=0.9"), Some("en-US"));
        assert_eq!(told("en"), Some("en-GB"));
        assert_eq!(told("fr-FR, DE;q=0.4, en;q=0.3"), Some("de"));
        assert_eq!(told("en;q=0.1, de;q=0.8"), Some("de"));
        assert_eq!(told("de;q=0, en"), Some("en-GB"));
        assert_eq!(told("en ; q=0.5 , de ; Q=0.9"), Some("de"));
        for strange in ["", "tlh", "*", "de;q=x", ";;;,,,=", &"fr,".repeat(10_000)] {
            assert_eq!(told(strange), None, "{strange:.20}");
        }
    }

    #[test]
    fn a_dialect_differs_only_where_it_says_so() {
        let [british, american] = ["en-GB", "en-US"].map(|tag| Language::from_tag(tag).expect("a language"));
        assert_ne!(british.name(), american.name());
        assert_ne!(british.folder(), american.folder());
        assert_eq!(t!(in british.texts(), "common.cancel"), t!(in american.texts(), "common.cancel"));
        assert_eq!(Language::default(), british);
    }

    #[test]
    fn browsers_load_each_text_once_by_its_key() {
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
