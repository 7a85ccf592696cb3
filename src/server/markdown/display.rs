//! Finds where display formulas begin in a line, and where they end.

use super::{flanking, formulas::strip_quote_markers, line::line_at};

/// The maximum length of a display formula, in bytes.
const MAX_FORMULA_BYTES: usize = 8_192;

/// Whether the content of a line begins with the opening mark of a display formula.
pub(super) fn starts_display_formula(content: &str) -> bool {
    content.starts_with("\\[") || (content.starts_with("$$") && !content.starts_with("$$$"))
}

/// The position of an opening mark at the end of a line of prose, outside of code.
pub(super) fn opener_at_end(line: &str, from: usize) -> Option<usize> {
    let body = line.get(from..)?.trim_end();
    let (before, is_opener) = if let Some(before) = body.strip_suffix("\\[") {
        (before, before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0)
    } else {
        let before = body.strip_suffix("$$")?;
        (before, before.ends_with([' ', '\t', ':', '：']) && !before.contains('$'))
    };
    let is_prose = !before.is_empty() && before.matches('`').count() % 2 == 0;
    (is_opener && is_prose).then_some(from + before.len())
}

/// The end of a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormulaEnd {
    /// The position of its closing mark.
    At(usize),
    /// Not found yet; it may still follow.
    Open,
    Never,
}

/// A search for the end of a formula.
#[derive(Debug)]
pub(super) struct EndSearch<'a> {
    pub(super) text: &'a str,
    /// Where the inside of the formula begins.
    pub(super) begin: usize,
    /// Whether the marks are `$$`.
    pub(super) is_dollars: bool,
    /// Whether the opening mark is alone on its line. Only then may the formula contain blank lines.
    pub(super) is_alone: bool,
    /// The number of quote markers before each line.
    pub(super) quotes: usize,
}

impl EndSearch<'_> {
    pub(super) fn run(&self) -> FormulaEnd {
        let mut at = self.begin;
        let mut has_blank = false;
        while at < self.text.len() && at - self.begin <= MAX_FORMULA_BYTES {
            let line = line_at(self.text, at);
            let is_first = at == self.begin;
            let is_whole = line.ends_with('\n');
            let (content, quotes) = if is_first { (line, self.quotes) } else { strip_quote_markers(line, self.quotes) };
            if !is_first && content.trim().is_empty() && is_whole {
                if !self.is_alone || quotes < self.quotes {
                    return FormulaEnd::Never;
                }
                has_blank = true;
            } else {
                let ends = is_whole && !is_first && (is_fence(content) || (has_blank && is_prose(content)));
                match self.next_mark(content) {
                    Some((end, true)) => {
                        let is_alone = content[..end].trim().is_empty() && content[end + 2..].trim().is_empty();
                        let end = at + line.len() - content.len() + end;
                        let is_good = (is_alone || !has_blank)
                            && end - self.begin <= MAX_FORMULA_BYTES
                            && !self.text[self.begin..end].trim().is_empty();
                        return if is_good { FormulaEnd::At(end) } else { FormulaEnd::Never };
                    }
                    Some((_, false)) => return FormulaEnd::Never,
                    None if ends => return FormulaEnd::Never,
                    None => {}
                }
            }
            at += line.len();
        }
        if at - self.begin > MAX_FORMULA_BYTES { FormulaEnd::Never } else { FormulaEnd::Open }
    }

    /// The next mark in a line, and whether it closes the formula. Formulas do not nest.
    fn next_mark(&self, line: &str) -> Option<(usize, bool)> {
        let bytes = line.as_bytes();
        let mut at = 0;
        while let Some(next) = bytes.get(at..)?.iter().position(|byte| matches!(byte, b'\\' | b'$')) {
            at += next;
            match (bytes[at], bytes.get(at + 1)) {
                (b'\\', Some(b']')) if !self.is_dollars => return Some((at, true)),
                (b'\\', Some(b'[')) if !self.is_dollars => return Some((at, false)),
                (b'\\', _) => at += 2,
                (_, Some(b'$')) if self.is_dollars => return Some((at, true)),
                _ => at += 1,
            }
        }
        None
    }
}

fn is_fence(content: &str) -> bool {
    let content = content.trim_start();
    content.starts_with("```") || content.starts_with("~~~")
}

/// Whether a line is prose that cannot be part of a formula after a blank line.
fn is_prose(content: &str) -> bool {
    let content = content.trim();
    if content.starts_with("# ") || content.starts_with("##") {
        return true;
    }
    let is_plain = !content.contains(['\\', '^', '_', '=', '{', '}', '&']);
    let words = content.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 1).count();
    is_plain && (words > 2 || content.chars().filter(|c| flanking::is_unspaced_script_char(*c)).count() > 5)
}
