//! The direction of lists, quotes and tables: that of their first letter. Browsers find it by themselves only for text,
//! not for a block whose children have directions of their own.

/// The direction of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Direction {
    #[default]
    LeftToRight,
    RightToLeft,
}

impl Direction {
    /// The direction of the first letter. `None` without one: digits and signs have no direction of their own.
    pub(super) fn of(text: &str) -> Option<Self> {
        let letter = text.chars().find(|c| c.is_alphabetic())?;
        Some(if is_right_to_left(letter) { Self::RightToLeft } else { Self::LeftToRight })
    }

    /// The value of `dir`. All values have the same length.
    const fn value(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

/// Whether a letter belongs to a script that is written from the right. Unicode assigns these blocks to such scripts
/// only: Hebrew to Arabic, their presentation forms, and two ranges for historic scripts and those added later.
const fn is_right_to_left(letter: char) -> bool {
    matches!(letter,
        '\u{590}'..='\u{8FF}'
        | '\u{FB1D}'..='\u{FDFF}'
        | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}'
        | '\u{1E800}'..='\u{1EFFF}')
}

/// The open blocks that have a direction.
#[derive(Debug, Default)]
pub(super) struct OpenDirections {
    /// Where the value of each block's `dir` begins, and the direction of its first letter. Without a letter yet, so are
    /// the blocks in it.
    blocks: Vec<(usize, Option<Direction>)>,
    /// Whether the current paragraph, heading, cell or item has had its first letter.
    is_decided: bool,
}

impl OpenDirections {
    /// Appends the attribute of a block that begins. Until its first letter it has the direction of the text before it.
    pub(super) fn open(&mut self, out: &mut String, before: Direction) {
        out.push_str(" dir=\"");
        self.blocks.push((out.len(), None));
        out.push_str(before.value());
        out.push('"');
        self.is_decided = false;
    }

    /// Ends the innermost block. What follows it has its direction, unless it has no letter.
    pub(super) fn close(&mut self, current: &mut Direction) {
        if let Some((_, Some(direction))) = self.blocks.pop() {
            *current = direction;
        }
    }

    /// Begins a paragraph, a heading, a cell or an item.
    pub(super) const fn begin_text(&mut self) {
        self.is_decided = false;
    }

    /// Reads text that is about to be appended. If it contains the first letter, corrects the attributes of the open
    /// blocks, in place because moving what follows them would cost too much, and sets `current`.
    pub(super) fn read(&mut self, out: &mut String, text: &str, current: &mut Direction) {
        if self.is_decided {
            return;
        }
        let Some(direction) = Direction::of(text) else { return };
        self.is_decided = true;
        *current = direction;
        for (at, decided) in self.blocks.iter_mut().rev().take_while(|(_, decided)| decided.is_none()) {
            let value = direction.value();
            out.replace_range(*at..*at + value.len(), value);
            *decided = Some(direction);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{LeftToRight, RightToLeft};

    #[test]
    fn the_first_letter_decides() {
        for (text, direction) in [
            ("abc عربي", Some(LeftToRight)),
            ("1. (עברית) abc", Some(RightToLeft)),
            ("١٢ – 5 €", None),
            ("", None),
            ("漢字", Some(LeftToRight)),
            ("\u{10D00}", Some(RightToLeft)),
        ] {
            assert_eq!(Direction::of(text), direction, "{text}");
        }
    }
}
