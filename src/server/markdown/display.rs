//! Where a display formula begins in a line, and on which of the lines after it it ends.

use super::{flanking, formulas::after_quotes, line::line_at};

/// The longest display formula, in bytes.
const LONGEST: usize = 8_192;

/// Whether what a line holds begins with the opening mark of a display formula.
pub(super) fn begins_formula(content: &str) -> bool {
    content.starts_with("\\[") || (content.starts_with("$$") && !content.starts_with("$$$"))
}

/// An opening mark at the end of a line of prose, outside of code.
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

/// Where a formula ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its closing mark.
    At(usize),
    /// It may still come.
    Open,
    Never,
}

/// The search for the end of a formula.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) text: &'a str,
    /// Where the formula's inside begins.
    pub(super) begin: usize,
    /// Whether its marks are `$$`.
    pub(super) is_dollars: bool,
    /// Whether nothing else is in the line of the opening mark: only then may there be blank lines.
    pub(super) is_alone: bool,
    /// Markers of quotes before each line.
    pub(super) quotes: usize,
}

impl Search<'_> {
    pub(super) fn run(&self) -> End {
        let mut at = self.begin;
        let mut has_blank = false;
        while at < self.text.len() && at - self.begin <= LONGEST {
            let line = line_at(self.text, at);
            let is_first = at == self.begin;
            let is_whole = line.ends_with('\n');
            let (content, quotes) = if is_first { (line, self.quotes) } else { after_quotes(line, self.quotes) };
            if !is_first && content.trim().is_empty() && is_whole {
                if !self.is_alone || quotes < self.quotes {
                    return End::Never;
                }
                has_blank = true;
            } else {
                let ends = is_whole && !is_first && (is_fence(content) || (has_blank && is_prose(content)));
                match self.mark(content) {
                    Some((end, true)) => {
                        let is_alone = content[..end].trim().is_empty() && content[end + 2..].trim().is_empty();
                        let end = at + line.len() - content.len() + end;
                        let is_good = (is_alone || !has_blank)
                            && end - self.begin <= LONGEST
                            && !self.text[self.begin..end].trim().is_empty();
                        return if is_good { End::At(end) } else { End::Never };
                    }
                    Some((_, false)) => return End::Never,
                    None if ends => return End::Never,
                    None => {}
                }
            }
            at += line.len();
        }
        if at - self.begin > LONGEST { End::Never } else { End::Open }
    }

    /// The next mark in a line, and whether it closes the formula. Formulas do not nest.
    fn mark(&self, line: &str) -> Option<(usize, bool)> {
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

/// A line that no formula has after a blank line.
fn is_prose(content: &str) -> bool {
    let content = content.trim();
    if content.starts_with("# ") || content.starts_with("##") {
        return true;
    }
    let is_plain = !content.contains(['\\', '^', '_', '=', '{', '}', '&']);
    let words = content.split(|c: char| !c.is_alphabetic()).filter(|word| word.chars().count() > 1).count();
    is_plain && (words > 2 || content.chars().filter(|c| flanking::is_unspaced(*c)).count() > 5)
}
