//! Emphasis in scripts without spaces between words.
//!
//! Markdown decides by the characters on both sides of `**` whether it can open or close emphasis, and assumes that
//! words are separated by spaces. So `は**「保存」**と` is not emphasised. In Chinese, Japanese, Korean, Thai and similar
//! texts, a mark between two characters should be able to do both, as it is between two letters. To achieve this, the
//! characters beside the mark are replaced with ones that the parser treats as punctuation.

use super::edits::{Edits, TextRun};

/// Adds the edits for a run of text. `text` has letters in place of formulas.
pub(super) fn relax_flanking(text: &str, run: &TextRun, edits: &mut Edits) {
    let range = run.range();
    let has_unspaced_script = text[range.clone()].chars().any(is_unspaced_script_char);
    let bytes = text.as_bytes();
    // Includes the marks at both ends, which are not part of the run.
    let is_mark = |byte: &u8| matches!(byte, b'*' | b'_' | b'~');
    let mut at = range.start - bytes[..range.start].iter().rev().take_while(|byte| is_mark(byte)).count();
    let end = range.end + bytes[range.end..].iter().take_while(|byte| is_mark(byte)).count();
    while at < end {
        let byte = bytes[at];
        if !is_mark(&byte) {
            at += 1;
            continue;
        }
        let length = bytes[at..].iter().take_while(|other| **other == byte).count();
        // After a backslash, the first mark is an ordinary character.
        let backslashes = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        let mark = at + backslashes % 2..at + length;
        at = mark.end;
        if mark.is_empty() {
            continue;
        }
        let before = text[..mark.start].chars().next_back().unwrap_or(' ');
        let after = text[mark.end..].chars().next().unwrap_or(' ');
        let is_in_run = |at: usize| {
            let next = run.texts.partition_point(|text| text.end <= at);
            run.texts.get(next).is_some_and(|text| text.contains(&at))
        };
        if byte == b'~' && mark.len() == 1 {
            // `~5` means "about five".
            if is_amount(after) && is_in_run(mark.end) {
                edits.fill(mark, b',');
            }
            continue;
        }
        let sides = Sides { before, after, is_near_script: || is_near_unspaced_script(text, mark.start, mark.end) };
        if has_unspaced_script && sides.can_open_and_close(byte, mark.len()) {
            let first = mark.start - before.len_utf8();
            if is_in_run(first) {
                edits.replace(first, before);
            }
            if is_in_run(mark.end) {
                edits.replace(mark.end, after);
            }
        }
    }
}

/// The characters beside a mark.
struct Sides<F> {
    before: char,
    after: char,
    /// Whether such a script is close to the mark.
    is_near_script: F,
}

impl<F: Fn() -> bool> Sides<F> {
    /// Whether a mark can both open and close emphasis, whatever Markdown says.
    fn can_open_and_close(&self, mark: u8, length: usize) -> bool {
        let (before, after) = (self.before, self.after);
        if before.is_whitespace() || after.is_whitespace() {
            return false;
        }
        match mark {
            b'_' => {
                // `snake_case` and `__init__` are words, whatever script surrounds them.
                let (outer, inner) = if is_word_char(before) { (before, after) } else { (after, before) };
                if is_word_char(inner) {
                    length > 1 && is_unspaced_script_char(outer) && is_unspaced_script_char(inner)
                } else {
                    is_unspaced_script_char(outer) || is_unspaced_script_char(inner)
                }
            }
            b'*' if length == 1 => (self.is_near_script)(),
            _ => true,
        }
    }
}

/// Whether the nearest letter before or after the mark belongs to such a script.
fn is_near_unspaced_script(text: &str, start: usize, end: usize) -> bool {
    let mut before = text[..start].chars().rev();
    let mut after = text[end..].chars();
    starts_with_unspaced_script(&mut before) || starts_with_unspaced_script(&mut after)
}

fn starts_with_unspaced_script(chars: &mut dyn Iterator<Item = char>) -> bool {
    for c in chars.take(4) {
        if is_unspaced_script_char(c) {
            return true;
        }
        if c.is_alphanumeric() || c.is_whitespace() {
            return false;
        }
    }
    false
}

/// Letters and digits, including combining marks above and below them.
fn is_word_char(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '\u{0300}'..='\u{036F}' | '\u{0E00}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3099}' | '\u{309A}')
}

/// Characters after which `~` means "about".
fn is_amount(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '$' | '€' | '£' | '¥' | '₹' | '₩' | '￥' | '.')
}

/// Characters of scripts without spaces between words, and their punctuation.
pub(super) fn is_unspaced_script_char(c: char) -> bool {
    matches!(c,
        // Thai, Lao, Tibetan, Burmese, Khmer.
        '\u{0E00}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{19E0}'..='\u{19FF}'
        // Hangul; radicals, kana, ideographs, Yi, and their punctuation.
        | '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{A4CF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{FE10}'..='\u{FE1F}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FFEF}'
        | '\u{16FE0}'..='\u{18DFF}' | '\u{1AFF0}'..='\u{1B2FF}' | '\u{20000}'..='\u{3FFFF}')
}
