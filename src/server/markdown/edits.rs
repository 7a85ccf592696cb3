//! The runs of text that are searched for formulas and emphasis, and the edits made there before the Markdown parser
//! runs.

use std::ops::Range;

/// A run of text within one block or table cell, without code, HTML and addresses.
#[derive(Debug, Default)]
pub(super) struct TextRun {
    pub(super) texts: Vec<Range<usize>>,
    pub(super) is_cell: bool,
}

impl TextRun {
    pub(super) fn range(&self) -> Range<usize> {
        match (self.texts.first(), self.texts.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }
}

/// A copy of the source with edited characters.
#[derive(Debug)]
pub(super) struct Edits(pub(super) Vec<u8>);

impl Edits {
    /// Overwrites a range with one byte.
    pub(super) fn fill(&mut self, range: Range<usize>, byte: u8) {
        self.0[range].fill(byte);
    }

    /// Replaces a character with punctuation of the same length, unless it is ASCII punctuation, which may have a
    /// meaning in Markdown.
    pub(super) fn replace(&mut self, at: usize, c: char) {
        if c.is_ascii_punctuation() {
            return;
        }
        let replacement = match c.len_utf8() {
            1 => ",",
            2 => "§",
            3 => "‖",
            _ => "\u{10100}",
        };
        self.0[at..at + replacement.len()].copy_from_slice(replacement.as_bytes());
    }

    /// The edited text, or `source` unchanged if the result is not valid UTF-8.
    pub(super) fn into_text(self, source: &str) -> String {
        String::from_utf8(self.0).unwrap_or_else(|_| source.to_owned())
    }
}
