//! The first cut of a text, line by line: display mathematics and lines that are nested too deeply are taken out, the
//! Markdown parser sees the rest.
//!
//! Mathematics first, because Markdown would read a line of a formula that begins with `-`, `+` or `=` as a list or a
//! heading. Only formulas that begin at the start of a line count here; others are found in the running text.

/// The most markers of lists and quotes at the start of a line, two columns of indentation counting as one.
/// Beyond it the parser's work per line would grow with the depth.
const DEEPEST: usize = 48;

/// The longest display formula, in bytes.
const LONGEST_FORMULA: usize = 8_192;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    /// Markdown.
    Markdown(&'a str),
    /// The inside of a display formula.
    Formula(&'a str),
    /// A display formula whose end has not come. Only at the end of a text, and only while it grows.
    OpenFormula(&'a str),
    /// Lines that are shown as they are.
    Plain(&'a str),
}

/// Cuts a whole text. A formula without an end is Markdown.
pub(super) fn split(text: &str) -> Vec<Segment<'_>> {
    let mut segments = Cutter { text, segments: Vec::new(), begin: 0 }.run();
    if let Some(Segment::OpenFormula(_)) = segments.last() {
        segments.pop();
        segments.push(Segment::Markdown(&text[taken(text, &segments)..]));
    }
    segments
}

/// Cuts a text that grows. Also returns where the last segment begins.
pub(super) fn split_open(text: &str) -> (Vec<Segment<'_>>, usize) {
    let segments = Cutter { text, segments: Vec::new(), begin: 0 }.run();
    let last = segments.len().saturating_sub(1);
    let begin = taken(text, &segments[..last]);
    (segments, begin)
}

/// Where the text goes on after the given segments: each segment is a slice of it.
fn taken(text: &str, segments: &[Segment<'_>]) -> usize {
    segments.last().map_or(0, |segment| {
        let (Segment::Markdown(part) | Segment::Plain(part) | Segment::OpenFormula(part) | Segment::Formula(part)) =
            *segment;
        let end = part.as_ptr() as usize - text.as_ptr() as usize + part.len();
        match segment {
            // Behind a formula stand its closing mark and the end of the line.
            Segment::Formula(_) => end + text[end..].find('\n').map_or(text.len() - end, |at| at + 1),
            _ => end,
        }
    })
}

struct Cutter<'a> {
    text: &'a str,
    segments: Vec<Segment<'a>>,
    /// Where the Markdown begins that has not been cut off yet.
    begin: usize,
}

impl<'a> Cutter<'a> {
    fn run(mut self) -> Vec<Segment<'a>> {
        let mut fence: Option<Fence> = None;
        let mut at = 0;
        while at < self.text.len() {
            let line = line_at(self.text, at);
            let next = at + line.len();
            if let Some(open) = fence {
                if open.is_closed_by(line) {
                    fence = None;
                }
            } else if let Some(open) = Fence::opened_by(line) {
                fence = Some(open);
            } else if let Some(end) = self.formula(at, line) {
                at = end;
                continue;
            } else if depth(line) > DEEPEST {
                self.cut(at);
                self.segments.push(Segment::Plain(line));
                self.begin = next;
            }
            at = next;
        }
        self.cut(self.text.len());
        self.segments
    }

    fn cut(&mut self, end: usize) {
        if self.begin < end {
            self.segments.push(Segment::Markdown(&self.text[self.begin..end]));
            self.begin = end;
        }
    }

    /// A display formula that begins with this line; returns where the text goes on after it.
    fn formula(&mut self, at: usize, line: &str) -> Option<usize> {
        let close = match line.get(..2)? {
            "\\[" => "\\]",
            "$$" => "$$",
            _ => return None,
        };
        let inside = at + 2;
        let window = &self.text[inside..self.text.floor_char_boundary(inside + LONGEST_FORMULA)];
        let Some(end) = window.find(close) else {
            // It may still come, unless there is a blank line: a formula has none.
            if inside + window.len() < self.text.len() || window.contains("\n\n") {
                return None;
            }
            self.cut(at);
            self.segments.push(Segment::OpenFormula(&self.text[at..]));
            self.begin = self.text.len();
            return Some(self.text.len());
        };
        let latex = &window[..end];
        let end = inside + end;
        let rest = line_at(self.text, end + 2);
        if !rest.trim().is_empty() || latex.is_empty() || latex.contains("\n\n") {
            return None;
        }
        self.cut(at);
        self.segments.push(Segment::Formula(latex));
        self.begin = end + 2 + rest.len();
        Some(self.begin)
    }
}

/// The line at a place, with its end.
pub(super) fn line_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)]
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

/// An open fence of a code block at the top level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    mark: u8,
    length: usize,
    /// Columns of indentation, which the lines of the block lose.
    pub(super) indent: usize,
}

impl Fence {
    /// The fence that a line opens.
    pub(super) fn opened_by(line: &str) -> Option<Self> {
        let indent = indent(line)?;
        let rest = &line[indent..];
        let mark = *rest.as_bytes().first().filter(|mark| matches!(mark, b'`' | b'~'))?;
        let length = rest.bytes().take_while(|byte| *byte == mark).count();
        (length >= 3 && (mark == b'~' || !rest[length..].contains('`'))).then_some(Self { mark, length, indent })
    }

    /// What stands behind the opening mark.
    pub(super) fn info<'a>(&self, line: &'a str) -> &'a str {
        line[self.indent + self.length..].trim()
    }

    /// Whether a line closes it.
    pub(super) fn is_closed_by(&self, line: &str) -> bool {
        let Some(indent) = indent(line) else { return false };
        let rest = line[indent..].trim_end();
        rest.len() >= self.length && rest.bytes().all(|byte| byte == self.mark)
    }

    /// Whether an incomplete line closes it or may do so when it goes on.
    pub(super) fn may_be_closed_by(&self, line: &str) -> bool {
        !line.contains('\n')
            && indent(line).is_some_and(|indent| line[indent..].trim_end().bytes().all(|byte| byte == self.mark))
    }
}

/// Up to three blanks.
fn indent(line: &str) -> Option<usize> {
    Some(line.bytes().take_while(|byte| *byte == b' ').count()).filter(|indent| *indent <= 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Segment::{Formula, Markdown, OpenFormula, Plain};

    #[test]
    fn formulas_at_the_start_of_a_line_are_cut_out() {
        assert_eq!(split("a\n\\[\nx\n- y\n\\]\nb"), [Markdown("a\n"), Formula("\nx\n- y\n"), Markdown("b")]);
        assert_eq!(split("$$x$$\n\n$$\ny\n$$"), [Formula("x"), Markdown("\n"), Formula("\ny\n")]);
        assert_eq!(split("$$x$$ and more"), [Markdown("$$x$$ and more")]);
        assert_eq!(split("$$\nx\n\ny$$"), [Markdown("$$\nx\n\ny$$")]);
        assert_eq!(split("a\n$$\nx"), [Markdown("a\n"), Markdown("$$\nx")]);
        assert_eq!(split_open("a\n$$\nx"), (vec![Markdown("a\n"), OpenFormula("$$\nx")], 2));
        assert_eq!(split_open("\\[x\\]\nb"), (vec![Formula("x"), Markdown("b")], 6));
    }

    #[test]
    fn code_keeps_its_lines() {
        let code = "```tex\n\\[\nx\n\\]\n```\n";
        assert_eq!(split(code), [Markdown(code)]);
        let open = "~~~\n$$\nx\n$$\n```\n";
        assert_eq!(split(open), [Markdown(open)]);
    }

    #[test]
    fn row_64_deep_lines_are_plain() {
        let deep = format!("{}a\n", ">".repeat(60));
        assert_eq!(split(&format!("x\n{deep}y")), [Markdown("x\n"), Plain(&deep), Markdown("y")]);
        let rule = "* ".repeat(60);
        assert_eq!(split(&rule), [Markdown(&rule)]);
        let indented = format!("{}- a", " ".repeat(100));
        assert_eq!(split(&indented), [Plain(&indented)]);
    }
}
