//! The levels of headings. Models begin an answer with `#`, `##` or `###`; on the page its outline has no gaps.

/// The lowest level that HTML has an element for.
const LOWEST_LEVEL: u8 = 6;

/// The headings that are open at a place in a text.
///
/// The first heading of a text has the top level, and each one below another goes down by one. What follows does not
/// matter, so that blocks of a growing answer that were sent keep their level: if a `##` is followed by a `#`, both have
/// the top level.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    top: u8,
    /// The levels in the source, each deeper than the one before.
    open: Vec<u8>,
}

impl Outline {
    /// The start of a text whose top level is shown as this one.
    pub(super) const fn from_level(top: u8) -> Self {
        Self { top, open: Vec::new() }
    }

    /// The level on the page of the next heading, which has this level in the source.
    pub(super) fn place(&mut self, level: u8) -> u8 {
        while self.open.last().is_some_and(|above| *above >= level) {
            self.open.pop();
        }
        let above = u8::try_from(self.open.len()).unwrap_or(LOWEST_LEVEL);
        self.open.push(level);
        LOWEST_LEVEL.min(self.top + above)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_heading_has_the_top_level_and_no_level_is_skipped() {
        for (source, page) in [
            (&[1, 2, 3, 2, 1][..], &[3, 4, 5, 4, 3][..]),
            (&[2, 3, 3, 2], &[3, 4, 4, 3]),
            (&[3, 3], &[3, 3]),
            (&[1, 3, 2, 4], &[3, 4, 4, 5]),
            (&[2, 1, 2], &[3, 3, 4]),
            (&[1, 2, 3, 4, 5, 6], &[3, 4, 5, 6, 6, 6]),
        ] {
            let mut outline = Outline::from_level(3);
            assert_eq!(source.iter().map(|level| outline.place(*level)).collect::<Vec<_>>(), page, "{source:?}");
        }
    }
}
