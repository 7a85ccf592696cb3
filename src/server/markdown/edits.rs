//! What is looked at for formulas and emphasis, and what is changed there before the Markdown parser sees it.

use std::ops::Range;

/// A run of text within one block, or one cell of a table: the parts of it that are no code, HTML or address.
#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) texts: Vec<Range<usize>>,
    pub(super) is_cell: bool,
}

impl Run {
    pub(super) fn range(&self) -> Range<usize> {
        match (self.texts.first(), self.texts.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }
}

/// Characters that are changed.
#[derive(Debug)]
pub(super) struct Edits(pub(super) Vec<u8>);

impl Edits {
    /// Writes one byte over all bytes of a place.
    pub(super) fn set(&mut self, range: Range<usize>, byte: u8) {
        self.0[range].fill(byte);
    }

    /// Puts punctuation in the place of a character, unless Markdown gives the character a meaning.
    pub(super) fn replace(&mut self, at: usize, c: char) {
        if c.is_ascii_punctuation() {
            return;
        }
        let stand_in = match c.len_utf8() {
            1 => ",",
            2 => "§",
            3 => "‖",
            _ => "\u{10100}",
        };
        self.0[at..at + stand_in.len()].copy_from_slice(stand_in.as_bytes());
    }

    /// The changed text; `source` as it was, should it not be UTF-8 any more.
    pub(super) fn text(self, source: &str) -> String {
        String::from_utf8(self.0).unwrap_or_else(|_| source.to_owned())
    }
}
