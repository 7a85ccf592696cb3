//! Tracks, while text is streamed, whether the current position is quoted: in code, in quotation marks, or escaped.

/// The maximum length of text that is held back to find this out, in bytes.
const MAX_LOOKAHEAD: usize = 1_000;

/// The current line, as far as it is needed to tell whether a position on it is quoted.
#[derive(Debug, Default)]
pub struct QuoteTracker {
    text: String,
    /// The number of backticks at the end of the text so far.
    backticks: usize,
    /// The length of the run of backticks that may have opened a code span.
    span: Option<usize>,
    /// The open code fence: its character and length.
    fence: Option<(char, usize)>,
    /// Whether an indented line would be code: after a blank line, and not within a list.
    after_blank: bool,
    has_list: bool,
}

impl QuoteTracker {
    /// Appends text.
    pub fn push(&mut self, text: &str) {
        for chunk in text.split_inclusive('\n') {
            let line = chunk.strip_suffix('\n');
            let content = line.unwrap_or(chunk);
            for c in content.chars() {
                if c == '`' {
                    self.backticks += 1;
                } else {
                    self.end_backtick_run();
                }
            }
            self.text.push_str(content);
            if line.is_some() {
                self.end_line();
            }
        }
    }

    /// Ends a run of backticks, which opens a code span, closes it, or is part of it.
    fn end_backtick_run(&mut self) {
        let run = std::mem::take(&mut self.backticks);
        if run > 0 {
            match self.span {
                None => self.span = Some(run),
                Some(length) if length == run => self.span = None,
                Some(_) => {}
            }
        }
    }

    fn end_line(&mut self) {
        let line = self.text.trim_start_matches([' ', '\t', '>']).trim_end();
        let item = without_list_mark(line);
        self.has_list |= item.len() < line.len();
        match self.fence {
            Some((mark, length)) => {
                if line.chars().count() >= length && line.chars().all(|c| c == mark) {
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
        (self.backticks, self.span) = (0, None);
    }

    fn is_indented(&self) -> bool {
        self.after_blank && !self.has_list && (self.text.starts_with("    ") || self.text.starts_with('\t'))
    }

    /// Whether the current position is quoted, given the text `after` it. `None` if more text is needed and this is not
    /// the `last` of it.
    pub fn is_quoted(&mut self, after: &str, last: bool) -> Option<bool> {
        self.end_backtick_run();
        if self.fence.is_some() || self.is_indented() || self.text.ends_with("<code>") || self.text.ends_with('\\') {
            return Some(true);
        }
        if let Some(length) = self.span {
            // A code span that does not end on its line is none.
            let line = after.split_once('\n').map_or(after, |(line, _)| line);
            let mut runs = line.split(|c| c != '`');
            if runs.any(|run| run.len() == length) {
                return Some(true);
            }
            if line.len() == after.len() && !last && after.len() < MAX_LOOKAHEAD {
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

/// The line without its list marker.
fn without_list_mark(line: &str) -> &str {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = match line.len() - digits.len() {
        0 => line.strip_prefix(['-', '*', '+']),
        _ => digits.strip_prefix(['.', ')']),
    };
    rest.filter(|rest| rest.starts_with(' ')).map_or(line, str::trim_start)
}
