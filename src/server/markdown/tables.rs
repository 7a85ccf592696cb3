//! Tables: alignment by classes, a container that scrolls, and no more columns than a page can show.

use pulldown_cmark::Alignment;

/// Cells beyond this column are left out.
const WIDEST: usize = 100;

/// The table that is being written.
#[derive(Debug, Default)]
pub(super) struct Table {
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
}

impl Table {
    pub(super) fn open(alignments: Vec<Alignment>, out: &mut String) -> Self {
        out.push_str("<div class=\"table-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>");
        Self { alignments, column: 0, in_head: false }
    }

    pub(super) fn open_head(&mut self, out: &mut String) {
        (self.column, self.in_head) = (0, true);
        out.push_str("<thead><tr>");
    }

    pub(super) fn open_row(&mut self, out: &mut String) {
        (self.column, self.in_head) = (0, false);
        out.push_str("<tr>");
    }

    /// Opens the next cell and returns how to close it; `None` where it is left out.
    pub(super) fn open_cell(&mut self, out: &mut String) -> Option<&'static str> {
        let column = self.column;
        self.column += 1;
        if column >= WIDEST {
            return None;
        }
        out.push_str(if self.in_head { "<th scope=\"col\" dir=\"auto\"" } else { "<td dir=\"auto\"" });
        out.push_str(match self.alignments.get(column) {
            Some(Alignment::Left) => " class=\"a-left\">",
            Some(Alignment::Center) => " class=\"a-center\">",
            Some(Alignment::Right) => " class=\"a-right\">",
            Some(Alignment::None) | None => ">",
        });
        Some(if self.in_head { "</th>" } else { "</td>" })
    }
}
