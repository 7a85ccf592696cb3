//! Detects deceptive names: reserved ones, paths, and words that mix look-alike scripts.

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

/// Letters of other scripts that look like Latin ones in most fonts, and the corresponding Latin letters.
const LOOKALIKES: &str = "авсԁеёһніїјкӏмпорԛгѕтцѵԝхуαβϲεηικμνορστυχγωıɑɡօսհո";
const LATIN: &str = "abcdeehhiijklmnopqrstuvwxyabcenikmvopotuxywiagouhn";
/// Digits and symbols that are used as substitutes for letters ("leetspeak"), and the corresponding letters.
const LEET_SYMBOLS: &str = "013457@$!|";
const LEET_LETTERS: &str = "oieastasii";

/// Scripts with letters that look alike.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
}

const fn script(c: char) -> Option<Script> {
    match c {
        'A'..='Z'
        | 'a'..='z'
        | 'ª'
        | 'º'
        | '\u{C0}'..='\u{2AF}'
        | '\u{1D00}'..='\u{1D25}'
        | '\u{1E00}'..='\u{1EFF}'
        | '\u{2C60}'..='\u{2C7F}'
        | '\u{A720}'..='\u{A7FF}'
        | '\u{FF21}'..='\u{FF5A}' => Some(Script::Latin),
        '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Some(Script::Greek),
        '\u{400}'..='\u{52F}' | '\u{1C80}'..='\u{1C8F}' | '\u{2DE0}'..='\u{2DFF}' | '\u{A640}'..='\u{A69F}' => {
            Some(Script::Cyrillic)
        }
        '\u{530}'..='\u{58F}' => Some(Script::Armenian),
        '\u{13A0}'..='\u{13FF}' | '\u{AB70}'..='\u{ABBF}' => Some(Script::Cherokee),
        _ => None,
    }
}

/// Whether a word mixes two scripts that look alike. Different words may use different scripts, and other scripts may
/// be mixed with any.
pub(super) fn mixes_scripts(name: &str) -> bool {
    name.split_whitespace().any(|word| {
        let mut scripts = word.chars().filter_map(script);
        scripts.next().is_some_and(|first| scripts.any(|other| other != first))
    })
}

/// Whether a name is reserved, in any spelling, or consists only of path characters.
pub(super) fn is_reserved(name: &str) -> bool {
    let is_listed = |name: String| RESERVED.contains(&name.as_str());
    let letters = || name.chars().filter_map(latin_letter);
    // `%2e%2e` is an encoded `..`.
    let is_path = name.is_ascii()
        && ["%2e", "%2f", "%5c", "%00"]
            .iter()
            .fold(name.to_ascii_lowercase(), |rest, code| rest.replace(code, ""))
            .chars()
            .all(|c| !c.is_ascii_alphanumeric());
    is_path
        || is_listed(letters().filter(|c| c.is_alphabetic()).collect())
        || is_listed(
            letters().map(|c| substitute(LEET_SYMBOLS, LEET_LETTERS, c)).filter(|c| c.is_alphanumeric()).collect(),
        )
}

/// The character of `to` at the position of `c` in `from`; `c` itself if `from` does not contain it.
fn substitute(from: &str, to: &str, c: char) -> char {
    from.chars().zip(to.chars()).find(|(from, _)| *from == c).map_or(c, |(_, to)| to)
}

/// The lower-case Latin letter that a character looks like, or the lower-case character itself.
fn latin_letter(c: char) -> Option<char> {
    let c = match u32::from(c) {
        // Fullwidth letters.
        wide @ 0xFF21..=0xFF5A => char::from_u32(wide - 0xFEE0)?,
        // Consecutive mathematical alphabets, each with the capital letters first.
        fancy @ 0x1D400..=0x1D6A3 => {
            let nth = u8::try_from((fancy - 0x1D400) % 52).ok()?;
            char::from(if nth < 26 { b'A' + nth } else { b'a' + nth - 26 })
        }
        circled @ 0x24B6..=0x24E9 => char::from(b'a' + u8::try_from((circled - 0x24B6) % 26).ok()?),
        _ => c,
    };
    Some(substitute(LOOKALIKES, LATIN, c.to_lowercase().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substitution_tables_have_equal_lengths() {
        assert_eq!(LOOKALIKES.chars().count(), LATIN.chars().count());
        assert_eq!(LEET_SYMBOLS.chars().count(), LEET_LETTERS.chars().count());
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
        for bad in ["Аda", "Bоb", "Ελenη", "paypaӏ", "Ꭺda", "Մaria"] {
            assert!(mixes_scripts(bad), "{bad}");
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
        ] {
            assert!(!mixes_scripts(good), "{good}");
        }
    }
}
