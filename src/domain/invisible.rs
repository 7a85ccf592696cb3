//! Invisible characters: which ones a script or an emoji needs, and which ones are deceptive.
//!
//! Joiners follow the rules for internationalized domain names (RFC 5892, appendix A.1 and A.2, with `Joining_Type` of
//! Unicode 15), with additions for Bengali, Sinhala and emoji (UTS #51).

/// The zero-width non-joiner, which prevents two letters from joining.
const NON_JOINER: char = '\u{200C}';
/// The zero-width joiner, which joins letters, or several emoji to one.
const JOINER: char = '\u{200D}';
/// The maximum number of marks, joiners and selectors that are skipped in search of the adjacent letter.
#[cfg(feature = "ssr")]
const MAX_SKIPPED: usize = 16;

/// Whether a character can make one name, title or address look like another in any context: controls, bidirectional
/// overrides, zero-width spaces, fillers, tags. Whether joiners and selectors are deceptive depends on the adjacent
/// characters (see [`strip_invisible`]); of these, only the non-joiner is included here.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'
                | '\u{1160}'
                | '\u{17B4}'
                | '\u{17B5}'
                | '\u{200B}'
                | NON_JOINER
                | '\u{200E}'
                | '\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF9}'..='\u{FFFF}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E00FF}'
                | '\u{E01F0}'..='\u{E0FFF}'
        )
}

/// Whether a character modifies the appearance of an adjacent character, and is invisible on its own.
const fn is_modifier(c: char) -> bool {
    matches!(c, JOINER | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Removes invisible characters that are not needed in their context.
pub fn strip_invisible(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_kept = |at: usize| !(is_deceptive(chars[at]) || is_modifier(chars[at])) || is_needed(&chars, at);
    (0..chars.len()).filter(|at| is_kept(*at)).map(|at| chars[at]).collect()
}

/// In the browser, a title is provisional until the server sends the final one, so the tables are not included there.
#[cfg(not(feature = "ssr"))]
fn is_needed(chars: &[char], at: usize) -> bool {
    chars[at] == NON_JOINER || is_modifier(chars[at])
}

/// Removes redundant joiners, which keyboards of joined scripts produce. `None` if the text contains deceptive
/// characters.
#[cfg(feature = "ssr")]
pub fn reject_deceptive(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let is_deceptive_at = |at: usize| {
        (is_deceptive(chars[at]) || is_modifier(chars[at]))
            && !is_needed(&chars, at)
            && !is_redundant_joiner(&chars, at)
    };
    (!(0..chars.len()).any(is_deceptive_at)).then(|| strip_invisible(text))
}

/// The normalized form of a text for searching: in lower case and without joiners.
#[cfg(feature = "ssr")]
pub fn search_key(text: &str) -> String {
    text.to_lowercase().replace([NON_JOINER, JOINER], "")
}

/// Whether an invisible character is needed at this position.
#[cfg(feature = "ssr")]
fn is_needed(chars: &[char], at: usize) -> bool {
    let (before, after) = (&chars[..at], &chars[at + 1..]);
    let (last, next) = (before.last().copied().unwrap_or(' '), after.first().copied().unwrap_or(' '));
    // Indic scripts: half letters and ligatures depend on the virama, which suppresses the vowel.
    let at_virama = is_virama(last) || (is_virama(next) && last.is_alphabetic() && !last.is_ascii());
    match chars[at] {
        NON_JOINER => at_virama || (joins_to_next(letter_before(before)) && joins_to_last(letter_after(after))),
        JOINER => {
            let emoji = before.iter().rev().find(|c| **c != '\u{FE0F}');
            at_virama || joins_to_next(letter_before(before)) || (emoji.is_some_and(|c| is_emoji(*c)) && is_emoji(next))
        }
        '\u{180B}'..='\u{180F}' => matches!(last, '\u{1807}' | '\u{1820}'..='\u{18AA}'),
        '\u{FE00}'..='\u{FE0F}' => has_variants(last) || (matches!(last, '0'..='9' | '#' | '*') && next == '\u{20E3}'),
        '\u{E0100}'..='\u{E01EF}' => is_han(last),
        '\u{E0020}'..='\u{E007F}' => is_in_flag(before, after, chars[at]),
        _ => false,
    }
}

/// Whether a joiner has no effect but is harmless, because it follows a letter of a joined script.
#[cfg(feature = "ssr")]
fn is_redundant_joiner(chars: &[char], at: usize) -> bool {
    let last = letter_before(&chars[..at]);
    matches!(chars[at], NON_JOINER | JOINER) && (joins_to_next(last) || joins_to_last(last))
}

#[cfg(feature = "ssr")]
fn letter_before(before: &[char]) -> char {
    let skipped = |c: &&char| is_transparent(**c) || matches!(**c, NON_JOINER | JOINER);
    before.iter().rev().take(MAX_SKIPPED).find(|c| !skipped(c)).copied().unwrap_or(' ')
}

#[cfg(feature = "ssr")]
fn letter_after(after: &[char]) -> char {
    after.iter().take(MAX_SKIPPED).find(|c| !is_transparent(**c)).copied().unwrap_or(' ')
}

/// Whether a character is part of a subdivision flag (such as Scotland): a black flag, letters as tags, and a cancel
/// tag.
#[cfg(feature = "ssr")]
fn is_in_flag(before: &[char], after: &[char], c: char) -> bool {
    const FLAG: Option<&char> = Some(&'\u{1F3F4}');
    const CANCEL_TAG: char = '\u{E007F}';
    let is_letter = |c: &char| matches!(*c, '\u{E0030}'..='\u{E0039}' | '\u{E0061}'..='\u{E007A}');
    let begins = before.iter().rev().take(MAX_SKIPPED).find(|c| !is_letter(c)) == FLAG;
    let ends = || after.iter().take(MAX_SKIPPED).find(|c| !is_letter(c)) == Some(&CANCEL_TAG);
    begins && if c == CANCEL_TAG { before.last() != FLAG } else { is_letter(&c) && ends() }
}

#[cfg(feature = "ssr")]
const fn is_emoji(c: char) -> bool {
    matches!(
        c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21FF}'
            | '\u{2300}'..='\u{23FF}' | '\u{24C2}' | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}'
            | '\u{2B00}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}'
    )
}

#[cfg(feature = "ssr")]
const fn is_han(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether a variation selector can follow a character (StandardizedVariants.txt, emoji-variation-sequences.txt).
#[cfg(feature = "ssr")]
const fn has_variants(c: char) -> bool {
    is_emoji(c)
        || is_han(c)
        || matches!(
            c,
            '\u{1000}'..='\u{109F}' | '\u{2200}'..='\u{22FF}' | '\u{2A00}'..='\u{2AFF}' | '\u{3001}' | '\u{3002}'
                | '\u{A840}'..='\u{A873}' | '\u{AA60}'..='\u{AA7F}' | '\u{FF01}' | '\u{FF0C}' | '\u{FF0E}' | '\u{FF1A}'
                | '\u{FF1B}' | '\u{FF1F}'
        )
}

/// Whether a character is in one of the ranges, each written as its first and last character.
#[cfg(feature = "ssr")]
fn is_in(ranges: &str, c: char) -> bool {
    let ends = || ranges.chars().step_by(2).zip(ranges.chars().skip(1).step_by(2));
    ends().any(|(first, last)| (first..=last).contains(&c))
}

/// Whether a character is a virama, which suppresses the vowel of a letter.
#[cfg(feature = "ssr")]
fn is_virama(c: char) -> bool {
    is_in(VIRAMAS, c)
}

/// Whether a letter joins to the following one.
#[cfg(feature = "ssr")]
fn joins_to_next(c: char) -> bool {
    is_in(DUAL_JOINING, c)
}

/// Whether a letter joins to the preceding one.
#[cfg(feature = "ssr")]
fn joins_to_last(c: char) -> bool {
    is_in(DUAL_JOINING, c) || is_in(RIGHT_JOINING, c)
}

/// Whether a character is a mark, which does not affect the joining of letters.
#[cfg(feature = "ssr")]
fn is_transparent(c: char) -> bool {
    is_in(TRANSPARENT, c)
}

/// Characters of the canonical combining class 9 (virama), as ranges.
#[cfg(feature = "ssr")]
const VIRAMAS: &str = "\u{94D}\u{94D}\u{9CD}\u{9CD}\u{A4D}\u{A4D}\u{ACD}\u{ACD}\u{B4D}\u{B4D}\u{BCD}\u{BCD}\u{C4D}\u{C4D}\
    \u{CCD}\u{CCD}\u{D3B}\u{D3C}\u{D4D}\u{D4D}\u{DCA}\u{DCA}\u{E3A}\u{E3A}\u{EBA}\u{EBA}\u{F84}\u{F84}\
    \u{1039}\u{103A}\u{1714}\u{1715}\u{1734}\u{1734}\u{17D2}\u{17D2}\u{1A60}\u{1A60}\u{1B44}\u{1B44}\
    \u{1BAA}\u{1BAB}\u{1BF2}\u{1BF3}\u{2D7F}\u{2D7F}\u{A806}\u{A806}\u{A82C}\u{A82C}\u{A8C4}\u{A8C4}\
    \u{A953}\u{A953}\u{A9C0}\u{A9C0}\u{AAF6}\u{AAF6}\u{ABED}\u{ABED}\u{10A3F}\u{10A3F}\u{11046}\u{11046}\
    \u{11070}\u{11070}\u{1107F}\u{1107F}\u{110B9}\u{110B9}\u{11133}\u{11134}\u{111C0}\u{111C0}\
    \u{11235}\u{11235}\u{112EA}\u{112EA}\u{1134D}\u{1134D}\u{113CE}\u{113D0}\u{11442}\u{11442}\
    \u{114C2}\u{114C2}\u{115BF}\u{115BF}\u{1163F}\u{1163F}\u{116B6}\u{116B6}\u{1172B}\u{1172B}\
    \u{11839}\u{11839}\u{1193D}\u{1193E}\u{119E0}\u{119E0}\u{11A34}\u{11A34}\u{11A47}\u{11A47}\
    \u{11A99}\u{11A99}\u{11C3F}\u{11C3F}\u{11D44}\u{11D45}\u{11D97}\u{11D97}\u{11F41}\u{11F42}\
    \u{1612F}\u{1612F}";
/// Letters of `Joining_Type` D, L and C in modern scripts, as ranges.
#[cfg(feature = "ssr")]
const DUAL_JOINING: &str = "\u{620}\u{620}\u{626}\u{626}\u{628}\u{628}\u{62A}\u{62E}\u{633}\u{647}\u{649}\u{64A}\u{66E}\u{66F}\
    \u{678}\u{687}\u{69A}\u{6BF}\u{6C1}\u{6C2}\u{6CC}\u{6CC}\u{6CE}\u{6CE}\u{6D0}\u{6D1}\u{6FA}\u{6FC}\
    \u{6FF}\u{6FF}\u{712}\u{714}\u{71A}\u{71D}\u{71F}\u{727}\u{729}\u{729}\u{72B}\u{72B}\u{72D}\u{72E}\
    \u{74E}\u{758}\u{75C}\u{76A}\u{76D}\u{770}\u{772}\u{772}\u{775}\u{777}\u{77A}\u{77F}\u{7CA}\u{7EA}\
    \u{7FA}\u{7FA}\u{841}\u{845}\u{848}\u{848}\u{84A}\u{853}\u{855}\u{855}\u{860}\u{860}\u{862}\u{865}\
    \u{868}\u{868}\u{883}\u{886}\u{889}\u{88D}\u{8A0}\u{8A9}\u{8AF}\u{8B0}\u{8B3}\u{8B8}\u{8BA}\u{8C8}\
    \u{1807}\u{1807}\u{180A}\u{180A}\u{1820}\u{1878}\u{1887}\u{18A8}\u{18AA}\u{18AA}\u{A840}\u{A872}\
    \u{10D00}\u{10D21}\u{10D23}\u{10D23}\u{1E900}\u{1E943}";
/// Letters of `Joining_Type` R, as ranges.
#[cfg(feature = "ssr")]
const RIGHT_JOINING: &str = "\u{622}\u{625}\u{627}\u{627}\u{629}\u{629}\u{62F}\u{632}\u{648}\u{648}\u{671}\u{673}\u{675}\u{677}\
    \u{688}\u{699}\u{6C0}\u{6C0}\u{6C3}\u{6CB}\u{6CD}\u{6CD}\u{6CF}\u{6CF}\u{6D2}\u{6D3}\u{6D5}\u{6D5}\
    \u{6EE}\u{6EF}\u{710}\u{710}\u{715}\u{719}\u{71E}\u{71E}\u{728}\u{728}\u{72A}\u{72A}\u{72C}\u{72C}\
    \u{72F}\u{72F}\u{74D}\u{74D}\u{759}\u{75B}\u{76B}\u{76C}\u{771}\u{771}\u{773}\u{774}\u{778}\u{779}\
    \u{840}\u{840}\u{846}\u{847}\u{849}\u{849}\u{854}\u{854}\u{856}\u{858}\u{867}\u{867}\u{869}\u{86A}\
    \u{870}\u{882}\u{88E}\u{88E}\u{8AA}\u{8AC}\u{8AE}\u{8AE}\u{8B1}\u{8B2}\u{8B9}\u{8B9}\u{10D22}\u{10D22}";
/// Characters of `Joining_Type` T, as ranges.
#[cfg(feature = "ssr")]
const TRANSPARENT: &str = "\u{610}\u{61A}\u{64B}\u{65F}\u{670}\u{670}\u{6D6}\u{6DC}\u{6DF}\u{6E4}\u{6E7}\u{6E8}\u{6EA}\u{6ED}\
    \u{711}\u{711}\u{730}\u{74A}\u{7A6}\u{7B0}\u{7EB}\u{7F3}\u{7FD}\u{7FD}\u{816}\u{819}\u{81B}\u{823}\
    \u{825}\u{827}\u{829}\u{82D}\u{859}\u{85B}\u{898}\u{89F}\u{8CA}\u{8E1}\u{8E3}\u{8FF}\u{180B}\u{180D}\
    \u{180F}\u{180F}\u{1885}\u{1886}\u{18A9}\u{18A9}\u{10D24}\u{10D27}\u{1E944}\u{1E94A}";

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn joiners_that_a_script_needs_are_kept() {
        for needed in [
            // Persian, Urdu, Kurdish: between two letters that would join, with or without marks between them.
            "می\u{200C}خواهم",
            "علی\u{200C}رضا",
            "نیک\u{64F}\u{200C}پی",
            "آب\u{200C}وهوا",
            "کتاب\u{200C}ها",
            "ئه\u{200C}وه",
            "ه\u{200D}.ش",
            // Hindi, Marathi, Bengali, Tamil, Malayalam, Sinhala, Kannada.
            "क्\u{200D}ष",
            "क्\u{200C}ष",
            "शरद्\u{200C}चंद्र",
            "র\u{200D}্যাব",
            "অ\u{200C}্যানা",
            "க்\u{200C}ஷ",
            "അവന്\u{200D}",
            "ශ්\u{200D}රී",
            "ಶ್ರೀನಿವಾಸ್\u{200C}",
            // Adlam, N'Ko, Mongolian.
            "𞤀\u{200C}𞤣",
            "ߒ\u{200C}ߞ",
            "ᠮ\u{180B}ᠣ\u{180E}ᠠ",
        ] {
            assert_eq!(reject_deceptive(needed).as_deref(), Some(needed), "{needed:?}");
            assert_eq!(strip_invisible(needed), needed, "{needed:?}");
        }
    }

    #[test]
    fn emoji_and_variation_sequences_are_kept() {
        for whole in [
            "👩\u{200D}🚀",
            "👩🏽\u{200D}🚀",
            "👩\u{200D}👩\u{200D}👧\u{200D}👦",
            "🏳\u{FE0F}\u{200D}🌈",
            "🏴\u{200D}☠\u{FE0F}",
            "❤\u{FE0F}\u{200D}🔥",
            "🧑\u{200D}⚕\u{FE0F}",
            "1\u{FE0F}\u{20E3} #\u{FE0F}\u{20E3}",
            "☎\u{FE0E} ©\u{FE0F}",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
            "葛\u{E0100}城 辻\u{E0101}",
        ] {
            assert_eq!(reject_deceptive(whole).as_deref(), Some(whole), "{whole:?}");
            assert_eq!(strip_invisible(whole), whole, "{whole:?}");
        }
    }

    #[test]
    fn other_characters_of_names_are_kept() {
        for name in [
            "O'Neil",
            "O’Neil",
            "Gal·la",
            "Keʻeaumoku",
            "ジョン・スミス",
            "צ׳רצ׳יל",
            "بن\u{64E}",
            "สมศรี",
            "ณัฐวุฒิ",
            "ក្រុង",
            "နိုင်",
            "नेहा",
            "Nguyễn Văn",
            "e\u{301}\u{302}",
            "יִצְחָק",
            "ދިވެހި",
            "مُحَمَّد",
            "شِراز",
        ] {
            assert_eq!(reject_deceptive(name).as_deref(), Some(name), "{name:?}");
        }
    }

    #[test]
    fn redundant_joiners_are_removed() {
        for (typed, kept) in [
            ("می\u{200C}\u{200C}خواهم", "می\u{200C}خواهم"),
            ("بازار\u{200C}ها", "بازارها"),
            ("کورده\u{200C}", "کورده"),
            ("علی\u{200C} رضا", "علی رضا"),
            ("دارا\u{200D}", "دارا"),
        ] {
            assert_eq!(reject_deceptive(typed).as_deref(), Some(kept), "{typed:?}");
            assert_eq!(strip_invisible(typed), kept, "{typed:?}");
        }
    }

    #[test]
    fn deceptive_characters_are_rejected_or_removed() {
        for (bad, seen) in [
            ("Ad\u{200C}a", "Ada"),
            ("Ad\u{200D}a", "Ada"),
            ("Ada\u{200C}", "Ada"),
            ("\u{200D}Ada", "Ada"),
            ("Ада\u{200C}м", "Адам"),
            ("李\u{200C}白", "李白"),
            ("שלו\u{200C}ם", "שלום"),
            ("Ada\u{200D}🚀", "Ada🚀"),
            ("🚀\u{200D}Ada", "🚀Ada"),
            ("🚀\u{200C}🚀", "🚀🚀"),
            ("A\u{FE0F}da", "Ada"),
            ("Ada\u{E0100}", "Ada"),
            ("1\u{FE0F}", "1"),
            ("A\u{180B}da", "Ada"),
            ("Ad\u{AD}a", "Ada"),
            ("A\u{34F}da", "Ada"),
            ("Ada\u{200E}", "Ada"),
            ("محمد\u{200F}", "محمد"),
            ("Ada\u{61C}", "Ada"),
            ("\u{3164}", ""),
            ("Ada\u{2800}", "Ada"),
            ("Ada\u{E0041}", "Ada"),
            ("🏴\u{E0067}\u{E0062}", "🏴"),
            ("🏴\u{E007F}", "🏴"),
            ("🚀\u{E0067}\u{E0062}\u{E007F}", "🚀"),
            ("a\u{200B}b\u{2060}c\u{FEFF}d", "abcd"),
        ] {
            assert_eq!(reject_deceptive(bad), None, "{bad:?}");
            assert_eq!(strip_invisible(bad), seen, "{bad:?}");
        }
    }

    #[test]
    fn search_keys_ignore_joiners() {
        assert_eq!(search_key("می\u{200C}خواهم"), search_key("میخواهم"));
        assert_eq!(search_key("ශ්\u{200D}රී ABC"), search_key("ශ්රී abc"));
    }

    #[test]
    fn ranges_are_sorted_pairs() {
        for ranges in [VIRAMAS, DUAL_JOINING, RIGHT_JOINING, TRANSPARENT] {
            assert_eq!(ranges.chars().count() % 2, 0);
            assert!(ranges.chars().is_sorted());
        }
        assert!(is_virama('\u{94D}') && joins_to_next('ب') && !joins_to_next('ا') && joins_to_last('ا'));
    }

    #[test]
    fn joiners_after_many_marks_are_removed() {
        let marks = format!("ب{}", "\u{64E}\u{200C}".repeat(2_000));
        assert_eq!(strip_invisible(&marks).chars().filter(|c| *c == NON_JOINER).count(), 0);
    }
}
