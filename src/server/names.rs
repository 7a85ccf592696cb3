//! Validates display names, and refuses deceptive ones: invisible characters, reserved names, paths, and words that mix
//! look-alike scripts.
//!
//! Look-alike characters and scripts are those of Unicode Technical Standard 39. Its profile for identifiers is not
//! used: it has no emoji, no joiners and none of the scripts of limited use, and all of them are in names of people.
//! The tables are large, so names are checked on the server only.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_script::{Script, UnicodeScript};
use unicode_security::{MixedScript, mixed_script::AugmentedScriptSet, skeleton};

use crate::domain::{AppError, limits, reject_deceptive};

/// Names that a user could use to impersonate the operator or the program.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "administrators",
    "anonymous",
    "assistant",
    "colloquy",
    "everyone",
    "moderator",
    "operator",
    "owner",
    "postmaster",
    "root",
    "security",
    "superuser",
    "support",
    "system",
    "webmaster",
];

/// Digits and symbols that are used as substitutes for letters ("leetspeak"), and the corresponding letters.
const LEET_SYMBOLS: &str = "013457@$!|";
const LEET_LETTERS: &str = "oieastasii";

/// Validates a display name and returns it without surrounding whitespace and redundant joiners.
///
/// # Errors
/// `Invalid` on the field `name`.
pub fn parse_name(text: &str) -> Result<String, AppError> {
    let name = text.trim();
    if name.is_empty() {
        return Err(AppError::invalid("name", reason!("name_missing")));
    }
    if name.chars().count() > limits::MAX_NAME_CHARS {
        return Err(AppError::invalid("name", reason!("name_too_long", most = limits::MAX_NAME_CHARS)));
    }
    let Some(name) = reject_deceptive(name) else {
        return Err(AppError::invalid("name", reason!("name_invisible")));
    };
    if is_reserved(&name) {
        return Err(AppError::invalid("name", reason!("name_reserved")));
    }
    if name.split(|c: char| c.is_whitespace() || c == '-').any(mixes_scripts) {
        return Err(AppError::invalid("name", reason!("name_mixed")));
    }
    Ok(name)
}

/// Whether a word mixes scripts in a way that is not "moderately restrictive" by UTS 39. A word can be in one writing
/// system (Japanese, Korean and Chinese are one each, with all their scripts), or mix it with Latin letters if it has
/// no letters that look like them. Different words can be in different scripts.
fn mixes_scripts(word: &str) -> bool {
    if word.is_single_script() {
        return false;
    }
    let mut others = AugmentedScriptSet::default();
    for set in word.chars().map(AugmentedScriptSet::for_char).filter(|set| !set.base.contains_script(Script::Latin)) {
        others.intersect_with(set);
    }
    // UTS 39 allows Armenian, although a dozen of its letters look like Latin ones.
    let is_distinct = |script: Script| {
        script.is_recommended() && !matches!(script, Script::Armenian | Script::Cyrillic | Script::Greek)
    };
    !(others.hanb || others.jpan || others.kore || others.base.iter().any(is_distinct))
}

/// Whether a name is reserved, in any spelling, or consists only of path characters.
fn is_reserved(name: &str) -> bool {
    let shape = |text: &str| skeleton(text).map(|c| c.to_ascii_lowercase()).collect::<String>();
    let is_listed = |name: String| RESERVED.iter().any(|reserved| shape(reserved) == shape(&name));
    // Compatibility forms are wide, circled and mathematical letters.
    let letters = || name.nfkc().map(latin_letter);
    // `%2e%2e` is an encoded `..`.
    let is_path = name.is_ascii()
        && ["%2e", "%2f", "%5c", "%00"]
            .iter()
            .fold(name.to_ascii_lowercase(), |rest, code| rest.replace(code, ""))
            .chars()
            .all(|c| !c.is_ascii_alphanumeric());
    is_path
        // As it stands: a capital `I` and a `1` look like an `l`.
        || is_listed(name.chars().filter(|c| c.is_alphanumeric()).collect())
        || is_listed(letters().filter(|c| c.is_alphabetic()).collect())
        || is_listed(letters().map(leet_letter).filter(|c| c.is_alphanumeric()).collect())
}

/// The letter that a digit or symbol stands for; `c` itself if it stands for none.
fn leet_letter(c: char) -> char {
    LEET_SYMBOLS.chars().zip(LEET_LETTERS.chars()).find(|(symbol, _)| *symbol == c).map_or(c, |(_, letter)| letter)
}

/// The lower-case Latin letter that a character looks like, or the character itself. Accents are ignored in other
/// scripts only: `á` is a letter of its own, but `ё` is an `e` in another script.
fn latin_letter(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let is_latin = c.script() == Script::Latin;
    // A capital can look like a Latin letter although the small letter does not, such as `Т` and `т`.
    let looks_like = |form: String| {
        let mut shape = skeleton(&form).filter(|c| is_latin || !is_combining_mark(*c));
        shape.next().filter(|letter| letter.is_ascii_alphabetic() && shape.next().is_none())
    };
    let found = looks_like(c.to_lowercase().to_string()).or_else(|| looks_like(c.to_uppercase().to_string()));
    found.map_or(c, |letter| letter.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substitution_tables_have_equal_lengths() {
        assert_eq!(LEET_SYMBOLS.chars().count(), LEET_LETTERS.chars().count());
    }

    #[test]
    fn row_11_deceptive_names_are_rejected() {
        assert_eq!(parse_name("  Ada  ").as_deref(), Ok("Ada"));
        assert!(parse_name("👩‍🚀").is_ok());
        assert_eq!(parse_name("علی\u{200C}رضا").as_deref(), Ok("علی\u{200C}رضا"));
        assert_eq!(parse_name(" کورده\u{200C} ").as_deref(), Ok("کورده"));
        for bad in ["Ad\u{200C}a", "Ad\u{200D}a", "ad\u{200C}min", "\u{3164}", "Ada\u{FE0F}"] {
            assert_eq!(parse_name(bad).unwrap_err().field(), Some("name"), "{bad:?}");
        }
        for bad in ["", " ", "a\0b", "Ada\u{202E}nimda", "a\u{200B}b", "a\u{E0041}", "a\nb", &"x".repeat(81)] {
            assert_eq!(parse_name(bad).unwrap_err().field(), Some("name"), "{bad:?}");
        }
    }

    #[test]
    fn row_15_reserved_names_are_detected_in_every_spelling() {
        for bad in [
            "admin",
            "Admin",
            " A D M I N ",
            "a.d.m.i.n",
            "r00t",
            "ROOT",
            "@dm1n",
            "аdmin",
            "ѕуѕтем",
            "ｒｏｏｔ",
            "𝐚𝐝𝐦𝐢𝐧",
            "ⓡⓞⓞⓣ",
            "Colloquy",
            "adrnin",
            "CoIIoquy",
            "co11oquy",
            "а ԁ м і n",
            "α d м ı η",
            "ѕёсurıtу",
            "support!",
            "..",
            ".",
            "../..",
            "%2e",
            "%2E%2e",
            "%2f",
            "-",
            "///",
            "%00",
        ] {
            assert!(is_reserved(bad), "{bad}");
        }
        for good in ["Ada", "Rooter", "Administa", "Bob Root", "O'Neil", "李", "👩‍🚀", "Dr. No", "100%", "Ådmin Åse"]
        {
            assert!(!is_reserved(good), "{good}");
        }
    }

    #[test]
    fn row_15_words_that_mix_lookalike_scripts_are_detected() {
        let has_mixed_word = |name: &str| name.split_whitespace().any(mixes_scripts);
        for bad in ["Аda", "Bоb", "Ελenη", "paypaӏ", "Ꭺda", "Մaria", "ꓮda", "КατяK"] {
            assert!(has_mixed_word(bad), "{bad}");
        }
        for good in [
            "Ada Lovelace",
            "Ада Лавлейс",
            "Ελένη",
            "Иван Smith",
            "田中 Yuki",
            "東京Bob",
            "Zoë",
            "علي",
            "नेहा",
            "Łukasz",
            "Ada 🚀",
            "Ada🚀",
            "Tシャツ",
            "漢字カナかな",
            "김Kim",
            "โอ๊ตOat",
            "ქეთი",
            "علی\u{200C}رضا",
            "Ada٣",
            "ʻOkina",
            "O’Neil",
            "ᐃᓄᒃ",
            "𞤀𞤣",
            "ⵣⵉ",
        ] {
            assert!(!has_mixed_word(good), "{good}");
        }
    }
}
