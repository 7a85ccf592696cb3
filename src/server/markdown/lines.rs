//! A text line by line, before the Markdown parser sees it: where display formulas and lines that are nested too deeply
//! are.
//!
//! Mathematics first, because Markdown would read a line of a formula that begins with `-`, `+` or `#` as a list or a
//! heading. A formula may stand wherever a paragraph may: at the margin, in items of lists at any indentation, in
//! quotes. Formulas that begin and end within a line of prose are found in the running text (`formulas`).

use std::ops::Range;

use super::{
    display::{End, Search, begins_formula, opener_at_end},
    fences::Fence,
    formulas::{Formula, Kind, after_quotes},
    html::begins_html,
    line::line_at,
};

/// The most markers of lists and quotes at the start of a line, two columns of indentation counting as one.
/// Beyond it the parser's work per line would grow with the depth.
const DEEPEST: usize = 48;
/// Columns of indentation that make code of a line.
const CODE: usize = 4;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    Formula {
        formula: Formula,
        /// Where its first line begins.
        line: usize,
        /// Whether it stands alone on its lines at the margin, outside of lists and quotes.
        is_alone: bool,
    },
    /// A line that is nested too deeply.
    Deep(Range<usize>),
}

/// Finds them in order. With `is_open`, a formula whose end has not come reaches to the end of the text; without, there
/// are no such formulas.
pub(super) fn scan(text: &str, is_open: bool) -> Vec<Mark> {
    let mut scanner = Scanner { text, is_open, marks: Vec::new(), state: State::default() };
    let mut at = 0;
    while at < text.len() {
        at = scanner.line(at);
    }
    scanner.marks
}

/// What the lines before leave open.
#[derive(Debug, Default)]
struct State {
    /// The columns at which the contents of the open items of lists begin.
    items: Vec<usize>,
    /// Quotes around the line before.
    quotes: usize,
    /// Whether the line before was text that a line may go on with.
    is_text: bool,
    /// Whether it was HTML, which goes on to the next blank line.
    is_html: bool,
    /// Whether it was the marker of an item and nothing else.
    is_bare: bool,
    fence: Option<OpenFence>,
}

#[derive(Debug, Clone, Copy)]
struct OpenFence {
    fence: Fence,
    /// Where the contents of the item around it begin.
    column: usize,
    quotes: usize,
}

/// How a line begins.
#[derive(Debug)]
struct Start {
    /// Where its content begins in the line, behind all markers.
    content: usize,
    /// The column of that.
    column: usize,
    /// The column at which the contents of the container around it begin.
    base: usize,
    quotes: usize,
    /// Whether it begins an item of a list.
    has_marker: bool,
}

struct Scanner<'a> {
    text: &'a str,
    is_open: bool,
    marks: Vec<Mark>,
    state: State,
}

impl Scanner<'_> {
    /// Looks at the line at a place; returns where to go on.
    fn line(&mut self, at: usize) -> usize {
        let line = line_at(self.text, at);
        let next = at + line.len();
        if self.is_fenced(line) {
            return next;
        }
        if depth(line) > DEEPEST {
            self.marks.push(Mark::Deep(at..next));
            self.state = State::default();
            return next;
        }
        let start = self.state.start(line);
        let content = &line[start.content..];
        if content.trim().is_empty() {
            // An item without a first line ends with a blank one.
            if std::mem::replace(&mut self.state.is_bare, start.has_marker) && !start.has_marker {
                self.state.items.pop();
            }
            self.state.is_text = false;
            self.state.is_html = false;
            return next;
        }
        self.state.is_bare = false;
        let is_indented = start.column >= start.base + CODE;
        if let Some(fence) = Fence::opened_by(content).filter(|_| !is_indented && !self.state.is_html) {
            self.state.fence = Some(OpenFence { fence, column: start.base, quotes: start.quotes });
            self.state.is_text = false;
            return next;
        }
        if let Some(end) = self.formula(at, line, &start) {
            return end;
        }
        self.state.is_html |= !is_indented && begins_html(content, self.state.is_text);
        self.state.is_text = (self.state.is_text || !is_indented) && !is_closed_block(content);
        next
    }

    /// Whether a line belongs to an open fence, which it may close.
    fn is_fenced(&mut self, line: &str) -> bool {
        let Some(OpenFence { fence, column, quotes }) = self.state.fence else { return false };
        let (content, found) = after_quotes(line, quotes);
        let indent = line.len() - line.trim_start_matches(' ').len();
        let is_left = found < quotes || (column > 0 && quotes == 0 && indent < column && !content.trim().is_empty());
        let is_closed =
            if column == 0 { fence.is_closed_by(content) } else { fence.is_closed_by(content.trim_start()) };
        if is_left || is_closed {
            self.state.fence = None;
        }
        !is_left
    }

    /// A display formula that begins in this line; returns where the text goes on after it.
    fn formula(&mut self, at: usize, line: &str, start: &Start) -> Option<usize> {
        let content = &line[start.content..];
        let leads = begins_formula(content);
        let opener = at + if leads { start.content } else { opener_at_end(line, start.content)? };
        let mut begin = opener;
        if leads && start.column >= start.base + CODE && !self.state.is_text {
            if self.state.items.is_empty() {
                return None;
            }
            // Models indent more than Markdown allows; in a list that means a formula, and no code.
            begin = at + byte_at_column(line, start.base);
        }
        let formula = |end: usize, inside: usize, kind| Formula {
            range: begin..end,
            inside: opener + 2..inside,
            kind,
            quotes: start.quotes,
            is_cell: false,
        };
        let is_margin = leads && self.state.items.is_empty() && start.quotes == 0;
        let search = Search {
            text: self.text,
            begin: opener + 2,
            is_dollars: self.text[opener..].starts_with('$'),
            is_alone: leads && content[2..].trim().is_empty(),
            quotes: start.quotes,
        };
        let (formula, is_alone, next) = match search.run() {
            End::At(inside) => {
                let end = inside + 2;
                let rest = line_at(self.text, end);
                (formula(end, inside, Kind::Display), is_margin && rest.trim().is_empty(), end)
            }
            End::Open if self.is_open => {
                let end = self.text.len();
                (formula(end, end, Kind::Open), is_margin, end)
            }
            End::Open | End::Never => return None,
        };
        if is_alone {
            self.state = State::default();
        } else {
            self.state.is_text = true;
        }
        self.marks.push(Mark::Formula { formula, line: at, is_alone });
        Some(self.rest_of_line(next, start.quotes))
    }

    /// Formulas that begin at the end of the line in which another one has ended; returns where the text goes on.
    fn rest_of_line(&mut self, mut at: usize, quotes: usize) -> usize {
        loop {
            let line = line_at(self.text, at);
            let next = at + line.len();
            let Some(opener) = opener_at_end(line, 0).map(|opener| at + opener) else { return next };
            let is_dollars = self.text[opener..].starts_with('$');
            let search = Search { text: self.text, begin: opener + 2, is_dollars, is_alone: false, quotes };
            let (inside, end, kind) = match search.run() {
                End::At(inside) => (inside, inside + 2, Kind::Display),
                End::Open if self.is_open => (self.text.len(), self.text.len(), Kind::Open),
                End::Open | End::Never => return next,
            };
            let formula = Formula { range: opener..end, inside: opener + 2..inside, kind, quotes, is_cell: false };
            self.marks.push(Mark::Formula { formula, line: at, is_alone: false });
            at = end;
        }
    }
}

impl State {
    /// Reads the markers at the start of a line, and keeps which items of lists are open.
    fn start(&mut self, line: &str) -> Start {
        let bytes = line.as_bytes();
        let mut start = Start { content: 0, column: 0, base: 0, quotes: 0, has_marker: false };
        loop {
            start.skip_blanks(bytes);
            let rest = &line[start.content..];
            if rest.trim().is_empty() {
                // The quotes have ended, and the lists in them.
                if start.quotes < self.quotes && !start.has_marker {
                    self.items.clear();
                }
                break;
            }
            // Text goes on with the paragraph of an item, wherever it stands.
            let is_lazy = self.is_text && !self.is_html && !interrupts(rest);
            let is_quote = rest.starts_with('>');
            let goes_on = is_quote && start.quotes < self.quotes;
            let open = self.items.len();
            if !is_lazy && !goes_on {
                self.items.retain(|item| *item <= start.column);
            }
            let is_left = self.items.len() < open || (!is_lazy && !goes_on && start.quotes < self.quotes);
            self.is_html &= !is_left;
            start.base = start.base.max(self.items.last().copied().unwrap_or(0).min(start.column));
            if is_lazy {
                start.quotes = self.quotes;
            }
            if is_lazy || (self.is_html && !goes_on) || start.column >= start.base + CODE {
                break;
            }
            if is_quote {
                self.is_text &= goes_on;
                start.quotes += 1;
                start.advance(1);
                if bytes.get(start.content) == Some(&b' ') {
                    start.advance(1);
                }
                start.base = start.column;
            } else if let Some(length) = list_marker(rest, self.is_text && !is_left) {
                start.advance(length);
                let blanks = bytes[start.content..].iter().take_while(|byte| **byte == b' ').count();
                let is_code = blanks > CODE || line[start.content..].trim().is_empty();
                self.items.push(start.column + if is_code { 1 } else { blanks.max(1) });
                start.has_marker = true;
                // What stands behind the marker is a new block.
                self.is_text = false;
            } else {
                break;
            }
        }
        self.quotes = start.quotes;
        start
    }
}

impl Start {
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

fn byte_at_column(line: &str, wanted: usize) -> usize {
    let mut start = Start { content: 0, column: 0, base: 0, quotes: 0, has_marker: false };
    let bytes = line.as_bytes();
    while start.column < wanted && start.content < bytes.len() {
        match bytes[start.content] {
            b'\t' => start.skip_blanks(&bytes[..=start.content]),
            _ => start.advance(1),
        }
    }
    start.content
}

/// The length of a list's marker without the blank behind it. Not every marker may follow upon text.
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

/// Whether what a line holds cannot go on with text.
fn interrupts(content: &str) -> bool {
    content.starts_with('>')
        || list_marker(content, false).is_some()
        || Fence::opened_by(content).is_some()
        || is_closed_block(content)
        || begins_html(content, true)
}

/// Headings, lines and tables: no text goes on with them.
fn is_closed_block(content: &str) -> bool {
    let is_rule = content.trim_end().bytes().all(|byte| matches!(byte, b'*' | b'-' | b'_' | b' ' | b'\t'));
    is_rule || (content.starts_with('#') && content.trim_start_matches('#').starts_with([' ', '\t', '\n']))
}

fn depth(line: &str) -> usize {
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
    // Indentation alone nests nothing; `* * *` is a line.
    if markers == 0 || line.trim_end().bytes().all(|byte| matches!(byte, b'*' | b'-' | b' ' | b'\t')) {
        0
    } else {
        markers + blanks / 2
    }
}
