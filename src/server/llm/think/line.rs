//! Whether something that a text says is quoted in it, told while the text comes.

/// How much text has to be held back at most to find that out, in bytes.
const HELD: usize = 1_000;

/// The line that is being read, as far as it tells whether something on it is quoted.
#[derive(Debug, Default)]
pub struct Line {
    text: String,
    /// Backticks at the end of what was read.
    ticks: usize,
    /// The length of the run of backticks that may have begun a code span.
    span: Option<usize>,
    /// The open fence, as its character and length.
    fence: Option<(char, usize)>,
    /// Whether an indented line would be code: after a blank line, and not within a list.
    after_blank: bool,
    has_list: bool,
}

impl Line {
    /// Reads on.
    pub fn pass(&mut self, text: &str) {
        for piece in text.split_inclusive('\n') {
            let line = piece.strip_suffix('\n');
            let words = line.unwrap_or(piece);
            for letter in words.chars() {
                if letter == '`' {
                    self.ticks += 1;
                } else {
                    self.settle_ticks();
                }
            }
            self.text.push_str(words);
            if line.is_some() {
                self.end();
            }
        }
    }

    /// A run of backticks has ended: it opens a code span, closes it, or belongs to it.
    fn settle_ticks(&mut self) {
        let run = std::mem::take(&mut self.ticks);
        if run > 0 {
            match self.span {
                None => self.span = Some(run),
                Some(length) if length == run => self.span = None,
                Some(_) => {}
            }
        }
    }

    fn end(&mut self) {
        let line = self.text.trim_start_matches([' ', '\t', '>']).trim_end();
        let item = without_list_mark(line);
        self.has_list |= item.len() < line.len();
        match self.fence {
            Some((mark, length)) => {
                if line.chars().count() >= length && line.chars().all(|letter| letter == mark) {
                    self.fence = None;
                }
            }
            None => {
                self.fence = ['`', '~'].into_iter().find_map(|mark| {
                    let rest = item.trim_start_matches(mark);
                    let length = item.len() - rest.len();
                    (length >= 3 && !(mark == '`' && rest.contains('`'))).then_some((mark, length))
                });
            }
        }
        let is_indented = self.is_indented();
        self.after_blank = line.is_empty() || is_indented;
        self.text.clear();
        (self.ticks, self.span) = (0, None);
    }

    fn is_indented(&self) -> bool {
        self.after_blank && !self.has_list && (self.text.starts_with("    ") || self.text.starts_with('\t'))
    }

    /// Whether what stands here is quoted, where `after` follows it: in code, in quotation marks, or escaped. `None` where
    /// more has to come first, unless this is the `last` of the text.
    pub fn quotes(&mut self, after: &str, last: bool) -> Option<bool> {
        self.settle_ticks();
        if self.fence.is_some() || self.is_indented() || self.text.ends_with("<code>") || self.text.ends_with('\\') {
            return Some(true);
        }
        if let Some(length) = self.span {
            // A span ends on its line, or it is none.
            let line = after.split_once('\n').map_or(after, |(line, _)| line);
            let mut runs = line.split(|letter| letter != '`');
            if runs.any(|run| run.len() == length) {
                return Some(true);
            }
            if line.len() == after.len() && !last && after.len() < HELD {
                return None;
            }
        }
        let closing = match self.text.chars().next_back() {
            Some('"') => '"',
            Some('\'') => '\'',
            Some('“' | '„') => '”',
            Some('‘') => '’',
            Some('«') => '»',
            Some('「') => '」',
            _ => return Some(false),
        };
        match after.chars().next() {
            Some(next) => Some(next == closing),
            None => last.then_some(false),
        }
    }
}

/// A line without the mark of a list's item.
fn without_list_mark(line: &str) -> &str {
    let digits = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let rest = match line.len() - digits.len() {
        0 => line.strip_prefix(['-', '*', '+']),
        _ => digits.strip_prefix(['.', ')']),
    };
    rest.filter(|rest| rest.starts_with(' ')).map_or(line, str::trim_start)
}
