//! Tables: alignment classes, a scrollable container, and a maximum number of columns.

use pulldown_cmark::Alignment;

use crate::i18n::push_reference;

/// The maximum number of columns. Further cells are dropped.
const MAX_COLUMNS: usize = 100;

/// The table that is being written.
#[derive(Debug, Default)]
pub(super) struct Table {
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
}

impl Table {
    /// Opens a table, up to the attributes of its element.
    pub(super) fn open(alignments: Vec<Alignment>, out: &mut String) -> Self {
        out.push_str("<div class=\"table-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
        push_reference(out, key!("chat.markdown.table"));
        out.push_str("\"><table");
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

    /// Opens the next cell and returns its closing tag. `None` if the cell is dropped.
    pub(super) fn open_cell(&mut self, out: &mut String) -> Option<&'static str> {
        let column = self.column;
        self.column += 1;
        if column >= MAX_COLUMNS {
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
