//! Scans a text line by line, before the Markdown parser, for display formulas and for lines that are nested too
//! deeply.
//!
//! Formulas come first, because Markdown would parse a line of a formula that begins with `-`, `+` or `#` as a list or
//! a heading. A formula may be anywhere a paragraph may be: at the margin, in list items at any indentation, in quotes.
//! The module `formulas` finds those that begin and end within a line of prose.

use std::ops::Range;

use super::{
    display::{EndSearch, FormulaEnd, opener_at_end, starts_display_formula},
    fences::Fence,
    formulas::{Formula, FormulaKind, strip_quote_markers},
    html::starts_html_block,
    line::line_at,
};

/// The maximum number of list and quote markers at the start of a line; two columns of indentation count as one.
/// Without it, the parser's work per line would grow with the depth.
const MAX_DEPTH: usize = 48;
/// Columns of indentation that turn a line into code.
const CODE_INDENT: usize = 4;

/// A finding of the scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BlockMark {
    Formula {
        formula: Formula,
        /// Where the first line of the formula begins.
        line: usize,
        /// Whether the formula is alone on its lines at the margin, outside of lists and quotes.
        is_alone: bool,
    },
    /// A line that is nested too deeply.
    TooDeep(Range<usize>),
}

/// Scans a text and returns the findings in order. With `is_open`, an unclosed formula extends to the end of the text;
/// without, it is not a formula.
pub(super) fn scan(text: &str, is_open: bool) -> Vec<BlockMark> {
    let mut scanner = Scanner { text, is_open, marks: Vec::new(), state: State::default() };
    let mut at = 0;
    while at < text.len() {
        at = scanner.scan_line(at);
    }
    scanner.marks
}

/// The open blocks after the previous lines.
#[derive(Debug, Default)]
struct State {
    /// The content columns of the open list items.
    items: Vec<usize>,
    /// The number of quotes around the previous line.
    quotes: usize,
    /// Whether the previous line was paragraph text that can continue.
    is_text: bool,
    /// Whether the previous line was HTML, which continues to the next blank line.
    is_html: bool,
    /// Whether the previous line was only a list marker.
    is_only_marker: bool,
    fence: Option<OpenFence>,
}

#[derive(Debug, Clone, Copy)]
struct OpenFence {
    fence: Fence,
    /// The content column of the surrounding list item.
    column: usize,
    quotes: usize,
}

/// The start of a line.
#[derive(Debug)]
struct LineStart {
    /// The byte offset of the content, after all markers.
    content: usize,
    /// The column of the content.
    column: usize,
    /// The content column of the surrounding container.
    base: usize,
    quotes: usize,
    /// Whether the line begins a list item.
    has_marker: bool,
}

struct Scanner<'a> {
    text: &'a str,
    is_open: bool,
    marks: Vec<BlockMark>,
    state: State,
}

impl Scanner<'_> {
    /// Scans the line at a position. Returns where the next one begins.
    fn scan_line(&mut self, at: usize) -> usize {
        let line = line_at(self.text, at);
        let next = at + line.len();
        if self.is_fenced(line) {
            return next;
        }
        if nesting_depth(line) > MAX_DEPTH {
            self.marks.push(BlockMark::TooDeep(at..next));
            self.state = State::default();
            return next;
        }
        let start = self.state.parse_line_start(line);
        let content = &line[start.content..];
        if content.trim().is_empty() {
            // A list item without a first line ends at a blank line.
            if std::mem::replace(&mut self.state.is_only_marker, start.has_marker) && !start.has_marker {
                self.state.items.pop();
            }
            self.state.is_text = false;
            self.state.is_html = false;
            return next;
        }
        self.state.is_only_marker = false;
        let is_indented = start.column >= start.base + CODE_INDENT;
        if let Some(fence) = Fence::opened_by(content).filter(|_| !is_indented && !self.state.is_html) {
            self.state.fence = Some(OpenFence { fence, column: start.base, quotes: start.quotes });
            self.state.is_text = false;
            return next;
        }
        if let Some(end) = self.scan_formula(at, line, &start) {
            return end;
        }
        self.state.is_html |= !is_indented && starts_html_block(content, self.state.is_text);
        let is_underline = !is_indented && self.state.is_text && self.state.is_underlined_by(content, &start);
        self.state.is_text = (self.state.is_text || !is_indented) && !is_underline && !is_closed_block(content);
        next
    }

    /// Whether a line belongs to the open fence. Closes the fence if the line ends it.
    fn is_fenced(&mut self, line: &str) -> bool {
        let Some(OpenFence { fence, column, quotes }) = self.state.fence else { return false };
        let (content, found) = strip_quote_markers(line, quotes);
        let indent = line.len() - line.trim_start_matches(' ').len();
        let is_left = found < quotes || (column > 0 && quotes == 0 && indent < column && !content.trim().is_empty());
        let is_closed =
            if column == 0 { fence.is_closed_by(content) } else { fence.is_closed_by(content.trim_start()) };
        if is_left || is_closed {
            self.state.fence = None;
        }
        !is_left
    }

    /// Finds a display formula that begins in this line. Returns where the text continues after it.
    fn scan_formula(&mut self, at: usize, line: &str, start: &LineStart) -> Option<usize> {
        let content = &line[start.content..];
        let is_at_start = starts_display_formula(content);
        let opener = at + if is_at_start { start.content } else { opener_at_end(line, start.content)? };
        let mut begin = opener;
        if is_at_start && start.column >= start.base + CODE_INDENT && !self.state.is_text {
            if self.state.items.is_empty() {
                return None;
            }
            // Models indent more than Markdown allows. In a list, assume a formula rather than code.
            begin = at + byte_at_column(line, start.base);
        }
        let formula = |end: usize, inside: usize, kind| Formula {
            range: begin..end,
            inside: opener + 2..inside,
            kind,
            quotes: start.quotes,
            is_cell: false,
        };
        let is_margin = is_at_start && self.state.items.is_empty() && start.quotes == 0;
        let search = EndSearch {
            text: self.text,
            begin: opener + 2,
            is_dollars: self.text[opener..].starts_with('$'),
            is_alone: is_at_start && content[2..].trim().is_empty(),
            quotes: start.quotes,
        };
        let (formula, is_alone, next) = match search.run() {
            FormulaEnd::At(inside) => {
                let end = inside + 2;
                let rest = line_at(self.text, end);
                (formula(end, inside, FormulaKind::Display), is_margin && rest.trim().is_empty(), end)
            }
            FormulaEnd::Open if self.is_open => {
                let end = self.text.len();
                (formula(end, end, FormulaKind::Open), is_margin, end)
            }
            FormulaEnd::Open | FormulaEnd::Never => return None,
        };
        if is_alone {
            self.state = State::default();
        } else {
            self.state.is_text = true;
        }
        self.marks.push(BlockMark::Formula { formula, line: at, is_alone });
        Some(self.scan_rest_of_line(next, start.quotes))
    }

    /// Finds formulas that begin at the end of a line in which another one has ended. Returns where the text continues.
    fn scan_rest_of_line(&mut self, mut at: usize, quotes: usize) -> usize {
        loop {
            let line = line_at(self.text, at);
            let next = at + line.len();
            let Some(opener) = opener_at_end(line, 0).map(|opener| at + opener) else { return next };
            let is_dollars = self.text[opener..].starts_with('$');
            let search = EndSearch { text: self.text, begin: opener + 2, is_dollars, is_alone: false, quotes };
            let (inside, end, kind) = match search.run() {
                FormulaEnd::At(inside) => (inside, inside + 2, FormulaKind::Display),
                FormulaEnd::Open if self.is_open => (self.text.len(), self.text.len(), FormulaKind::Open),
                FormulaEnd::Open | FormulaEnd::Never => return next,
            };
            let formula = Formula { range: opener..end, inside: opener + 2..inside, kind, quotes, is_cell: false };
            self.marks.push(BlockMark::Formula { formula, line: at, is_alone: false });
            at = end;
        }
    }
}

impl State {
    /// Whether a line makes the text before it a heading. A line of dashes is always a rule or such a line.
    fn is_underlined_by(&self, content: &str, start: &LineStart) -> bool {
        // Outside of the text's quote or list item, it would be more text.
        let is_inside = start.quotes == 0 && self.items.last().is_none_or(|item| start.column >= *item);
        is_inside && content.trim_end().bytes().all(|byte| byte == b'=')
    }

    /// Parses the markers at the start of a line and updates the open list items.
    fn parse_line_start(&mut self, line: &str) -> LineStart {
        let bytes = line.as_bytes();
        let mut start = LineStart { content: 0, column: 0, base: 0, quotes: 0, has_marker: false };
        loop {
            start.skip_blanks(bytes);
            let rest = &line[start.content..];
            if rest.trim().is_empty() {
                // The quotes have ended, and with them the lists inside.
                if start.quotes < self.quotes && !start.has_marker {
                    self.items.clear();
                }
                break;
            }
            // Lazy continuation: text continues the paragraph of an item at any indentation.
            let is_lazy = self.is_text && !self.is_html && !interrupts_paragraph(rest);
            let is_quote = rest.starts_with('>');
            let continues_quote = is_quote && start.quotes < self.quotes;
            let open = self.items.len();
            if !is_lazy && !continues_quote {
                self.items.retain(|item| *item <= start.column);
            }
            let is_left = self.items.len() < open || (!is_lazy && !continues_quote && start.quotes < self.quotes);
            self.is_html &= !is_left;
            start.base = start.base.max(self.items.last().copied().unwrap_or(0).min(start.column));
            if is_lazy {
                start.quotes = self.quotes;
            }
            if is_lazy || (self.is_html && !continues_quote) || start.column >= start.base + CODE_INDENT {
                break;
            }
            if is_quote {
                self.is_text &= continues_quote;
                start.quotes += 1;
                start.advance(1);
                if bytes.get(start.content) == Some(&b' ') {
                    start.advance(1);
                }
                start.base = start.column;
            } else if let Some(length) = list_marker(rest, self.is_text && !is_left) {
                start.advance(length);
                let blanks = bytes[start.content..].iter().take_while(|byte| **byte == b' ').count();
                let is_code = blanks > CODE_INDENT || line[start.content..].trim().is_empty();
                self.items.push(start.column + if is_code { 1 } else { blanks.max(1) });
                start.has_marker = true;
                // The content after the marker is a new block.
                self.is_text = false;
            } else {
                break;
            }
        }
        self.quotes = start.quotes;
        start
    }
}

impl LineStart {
    fn advance(&mut self, bytes: usize) {
        self.content += bytes;
        self.column += bytes;
    }

    fn skip_blanks(&mut self, bytes: &[u8]) {
        while let Some(blank) = bytes.get(self.content).filter(|byte| matches!(byte, b' ' | b'\t')) {
            self.content += 1;
            self.column = if *blank == b'\t' { self.column / 4 * 4 + 4 } else { self.column + 1 };
        }
    }
}

fn byte_at_column(line: &str, column: usize) -> usize {
    let mut start = LineStart { content: 0, column: 0, base: 0, quotes: 0, has_marker: false };
    let bytes = line.as_bytes();
    while start.column < column && start.content < bytes.len() {
        match bytes[start.content] {
            b'\t' => start.skip_blanks(&bytes[..=start.content]),
            _ => start.advance(1),
        }
    }
    start.content
}

/// The length of a list marker without the space after it. Some markers cannot interrupt a paragraph.
fn list_marker(content: &str, is_after_text: bool) -> Option<usize> {
    let length = match content.as_bytes() {
        [b'-' | b'+' | b'*', ..] => 1,
        bytes => {
            let digits = bytes.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
            let is_marker = (1..=9).contains(&digits) && matches!(bytes.get(digits), Some(b'.' | b')'));
            is_marker.then_some(digits + 1)?
        }
    };
    let is_rule = content.trim_end().bytes().all(|byte| matches!(byte, b'*' | b'-' | b' ' | b'\t'))
        && content.bytes().filter(|byte| matches!(byte, b'*' | b'-')).count() > 2;
    let (marker, rest) = content.split_at(length);
    let may_follow = !rest.trim().is_empty() && matches!(marker, "-" | "+" | "*" | "1." | "1)");
    let is_marker = rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']);
    (!is_rule && is_marker && (may_follow || !is_after_text)).then_some(length)
}

/// Whether the content of a line interrupts a paragraph.
fn interrupts_paragraph(content: &str) -> bool {
    content.starts_with('>')
        || list_marker(content, false).is_some()
        || Fence::opened_by(content).is_some()
        || is_closed_block(content)
        || starts_html_block(content, true)
}

/// Whether a line is a heading, a rule or a table delimiter, which text cannot continue.
fn is_closed_block(content: &str) -> bool {
    let is_rule = content.trim_end().bytes().all(|byte| matches!(byte, b'*' | b'-' | b'_' | b' ' | b'\t'));
    is_rule || (content.starts_with('#') && content.trim_start_matches('#').starts_with([' ', '\t', '\n']))
}

fn nesting_depth(line: &str) -> usize {
    let mut markers = 0;
    let mut blanks = 0;
    let mut bytes = line.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' => blanks += 1,
            b'\t' => blanks += 4,
            b'>' => markers += 1,
            b'-' | b'*' | b'+' if matches!(bytes.peek(), Some(b' ' | b'\t')) => markers += 1,
            b'0'..=b'9' => {
                while bytes.next_if(u8::is_ascii_digit).is_some() {}
                if bytes.next_if(|byte| matches!(byte, b'.' | b')')).is_none() {
                    break;
                }
                markers += 1;
            }
            _ => break,
        }
    }
    // Indentation alone does not nest; `* * *` is a rule.
    if markers == 0 || line.trim_end().bytes().all(|byte| matches!(byte, b'*' | b'-' | b' ' | b'\t')) {
        0
    } else {
        markers + blanks / 2
    }
}
