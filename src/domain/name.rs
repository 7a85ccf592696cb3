//! Names that pose as somebody else: as the operator, as a path, or as another name in look-alike letters.

/// Names that only the program and those who run it could have.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "administrators",
    "anonymous",
    "assistant",
    "colloquy",
    "everyone",
    "moderator",
    "null",
    "operator",
    "owner",
    "postmaster",
    "root",
    "security",
    "superuser",
    "support",
    "system",
    "undefined",
    "webmaster",
];

/// Letters of other scripts that look like Latin ones, with these; most fonts draw them alike.
const ALIKE: &[(char, char)] = &[
    ('а', 'a'),
    ('в', 'b'),
    ('с', 'c'),
    ('ԁ', 'd'),
    ('е', 'e'),
    ('ё', 'e'),
    ('һ', 'h'),
    ('н', 'h'),
    ('і', 'i'),
    ('ї', 'i'),
    ('ј', 'j'),
    ('к', 'k'),
    ('ӏ', 'l'),
    ('м', 'm'),
    ('п', 'n'),
    ('о', 'o'),
    ('р', 'p'),
    ('ԛ', 'q'),
    ('г', 'r'),
    ('ѕ', 's'),
    ('т', 't'),
    ('ц', 'u'),
    ('ѵ', 'v'),
    ('ԝ', 'w'),
    ('х', 'x'),
    ('у', 'y'),
    ('α', 'a'),
    ('β', 'b'),
    ('ϲ', 'c'),
    ('ε', 'e'),
    ('η', 'n'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('μ', 'm'),
    ('ν', 'v'),
    ('ο', 'o'),
    ('ρ', 'p'),
    ('σ', 'o'),
    ('τ', 't'),
    ('υ', 'u'),
    ('χ', 'x'),
    ('γ', 'y'),
    ('ω', 'w'),
    ('ı', 'i'),
    ('ɑ', 'a'),
    ('ɡ', 'g'),
    ('օ', 'o'),
    ('ս', 'u'),
    ('հ', 'h'),
    ('ո', 'n'),
    ('0', 'o'),
    ('1', 'i'),
    ('3', 'e'),
    ('4', 'a'),
    ('5', 's'),
    ('7', 't'),
    ('@', 'a'),
    ('$', 's'),
    ('!', 'i'),
    ('|', 'i'),
];

/// The scripts whose letters look like one another's.
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
        | '\u{AA}'
        | '\u{BA}'
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

/// Whether a word has letters of two scripts that look alike. Several words may be of several scripts, and scripts that
/// look like nothing else may stand beside any.
pub(super) fn mixes_scripts(name: &str) -> bool {
    name.split_whitespace().any(|word| {
        let mut scripts = word.chars().filter_map(script);
        scripts.next().is_some_and(|first| scripts.any(|other| other != first))
    })
}

/// Whether a name is reserved, however it is written, or is nothing but signs of a path.
pub(super) fn is_reserved(name: &str) -> bool {
    let plain: String = name.chars().filter_map(plain).collect();
    // `%2e%2e` is `..` where somebody reads it so.
    let is_path = name.is_ascii()
        && ["%2e", "%2f", "%5c", "%00"]
            .iter()
            .fold(name.to_ascii_lowercase(), |rest, code| rest.replace(code, ""))
            .chars()
            .all(|c| !c.is_ascii_alphanumeric());
    is_path || RESERVED.contains(&plain.as_str())
}

/// The small Latin letter that a character is or looks like; nothing for what is no letter.
fn plain(c: char) -> Option<char> {
    let c = match u32::from(c) {
        // Letters as wide as Chinese ones.
        wide @ 0xFF21..=0xFF5A => char::from_u32(wide - 0xFEE0)?,
        // Mathematical alphabets, one after the other, capital letters first.
        fancy @ 0x1D400..=0x1D6A3 => {
            let nth = u8::try_from((fancy - 0x1D400) % 52).ok()?;
            char::from(if nth < 26 { b'A' + nth } else { b'a' + nth - 26 })
        }
        circled @ 0x24B6..=0x24E9 => char::from(b'a' + u8::try_from((circled - 0x24B6) % 26).ok()?),
        _ => c,
    };
    let c = c.to_lowercase().next()?;
    let c = ALIKE.iter().find(|(other, _)| *other == c).map_or(c, |(_, latin)| *latin);
    c.is_alphanumeric().then_some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_15_reserved_names_are_found_in_every_guise() {
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
    fn row_15_one_word_has_one_of_the_scripts_that_look_alike() {
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
