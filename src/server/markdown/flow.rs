//! What the blocks before a place in a text decide about those after it.

use super::{direction::Direction, headings::Outline};

/// The state after the blocks that have been written. A growing text keeps it for its open tail.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    pub(super) outline: Outline,
    /// The direction of the last text. Blocks without letters, such as a table of numbers, take it.
    pub(super) direction: Direction,
}

impl Flow {
    /// The start of a text whose top headings have this level.
    pub(super) const fn from_level(top: u8) -> Self {
        Self { outline: Outline::from_level(top), direction: Direction::LeftToRight }
    }
}

/// The start of an answer, which has a heading of level 2 above it.
impl Default for Flow {
    fn default() -> Self {
        Self::from_level(3)
    }
}
