//! Emphasis in scripts that put no blanks between words.
//!
//! Markdown decides by the characters on both sides of `**` whether it may begin or end emphasis, and takes for granted
//! that a word's other side is a blank: `は**「保存」**と` stays as it is written. In texts of Chinese, Japanese, Korean,
//! Thai and their like, a mark with characters on both sides may do both, as it may between two letters. The parser
//! is brought to it by characters that it takes for punctuation, in the places of those beside the mark.

use super::edits::{Edits, Run};

/// Notes the edits for a run of text. `text` holds letters in the place of each formula.
pub(super) fn ease(text: &str, run: &Run, edits: &mut Edits) {
    let range = run.range();
    let is_unspaced_run = text[range.clone()].chars().any(is_unspaced);
    let bytes = text.as_bytes();
    // The marks at both ends are no part of the text.
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
        // After a backslash the first one is a character like others.
        let backslashes = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        let mark = at + backslashes % 2..at + length;
        at = mark.end;
        if mark.is_empty() {
            continue;
        }
        let before = text[..mark.start].chars().next_back().unwrap_or(' ');
        let after = text[mark.end..].chars().next().unwrap_or(' ');
        let beside = |at: usize| {
            let next = run.texts.partition_point(|text| text.end <= at);
            run.texts.get(next).is_some_and(|text| text.contains(&at))
        };
        if byte == b'~' && mark.len() == 1 {
            // `~5` is about five.
            if is_amount(after) && beside(mark.end) {
                edits.set(mark, b',');
            }
            continue;
        }
        let sides = Sides { before, after, near: || is_near(text, mark.start, mark.end) };
        if is_unspaced_run && sides.may_do_both(byte, mark.len()) {
            let first = mark.start - before.len_utf8();
            if beside(first) {
                edits.replace(first, before);
            }
            if beside(mark.end) {
                edits.replace(mark.end, after);
            }
        }
    }
}

/// What stands beside a mark.
struct Sides<F> {
    before: char,
    after: char,
    /// Whether such a script is close by.
    near: F,
}

impl<F: Fn() -> bool> Sides<F> {
    /// Whether a mark may begin and end emphasis, whatever Markdown says.
    fn may_do_both(&self, mark: u8, length: usize) -> bool {
        let (before, after) = (self.before, self.after);
        if before.is_whitespace() || after.is_whitespace() {
            return false;
        }
        match mark {
            b'_' => {
                // `snake_case` and `__init__` are words, with any script around them.
                let (outer, inner) = if is_word(before) { (before, after) } else { (after, before) };
                if is_word(inner) {
                    length > 1 && is_unspaced(outer) && is_unspaced(inner)
                } else {
                    is_unspaced(outer) || is_unspaced(inner)
                }
            }
            b'*' if length == 1 => (self.near)(),
            _ => true,
        }
    }
}

/// Whether the next letter on one of the sides, or what stands before it, belongs to such a script.
fn is_near(text: &str, start: usize, end: usize) -> bool {
    let mut before = text[..start].chars().rev();
    let mut after = text[end..].chars();
    is_first_unspaced(&mut before) || is_first_unspaced(&mut after)
}

fn is_first_unspaced(chars: &mut dyn Iterator<Item = char>) -> bool {
    for c in chars.take(4) {
        if is_unspaced(c) {
            return true;
        }
        if c.is_alphanumeric() || c.is_whitespace() {
            return false;
        }
    }
    false
}

/// Letters and digits, with the marks that stand above and below them.
fn is_word(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '\u{0300}'..='\u{036F}' | '\u{0E00}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3099}' | '\u{309A}')
}

/// What makes `~` mean "about".
fn is_amount(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '$' | '€' | '£' | '¥' | '₹' | '₩' | '￥' | '.')
}

/// Characters of scripts that do without blanks between words, and the punctuation made for them.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c,
        // Thai, Lao, Tibetan, Burmese, Khmer.
        '\u{0E00}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{19E0}'..='\u{19FF}'
        // Hangul; radicals, kana, ideographs, Yi, and their punctuation.
        | '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{A4CF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{FE10}'..='\u{FE1F}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FFEF}'
        | '\u{16FE0}'..='\u{18DFF}' | '\u{1AFF0}'..='\u{1B2FF}' | '\u{20000}'..='\u{3FFFF}')
}
