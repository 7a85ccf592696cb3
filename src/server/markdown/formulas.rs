//! Finds formulas in running text: `$…$`, as opposed to prices, and `\(…\)` and `\[…\]`.

use std::{borrow::Cow, ops::Range};

use super::edits::TextRun;

/// The maximum length of a formula, in bytes.
const MAX_FORMULA_BYTES: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormulaKind {
    Inline,
    Display,
    /// A display formula that is not closed yet.
    Open,
}

/// A formula, as ranges in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Formula {
    /// The formula with its marks.
    pub(super) range: Range<usize>,
    /// The text between the marks.
    pub(super) inside: Range<usize>,
    pub(super) kind: FormulaKind,
    /// The number of quote markers before each line.
    pub(super) quotes: usize,
    /// Whether the formula is in a table cell, where `|` is written as `\|`.
    pub(super) is_cell: bool,
}

impl Formula {
    /// The LaTeX source, without quote markers and without the escapes of table cells.
    pub(super) fn latex<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let inside = &text[self.inside.clone()];
        if self.is_cell && inside.contains("\\|") {
            return Cow::Owned(inside.replace("\\|", "|"));
        }
        if self.quotes == 0 || !inside.contains('\n') {
            return Cow::Borrowed(inside);
        }
        let lines = inside.split('\n').enumerate();
        let lines: Vec<&str> =
            lines.map(|(n, line)| if n == 0 { line } else { strip_quote_markers(line, self.quotes).0 }).collect();
        Cow::Owned(lines.join("\n"))
    }
}

/// Strips up to `max` quote markers from a line. Returns the rest and the number of markers found.
pub(super) fn strip_quote_markers(line: &str, max: usize) -> (&str, usize) {
    let mut rest = line;
    for count in 0..max {
        match rest.trim_start_matches([' ', '\t']).strip_prefix('>') {
            Some(after) => rest = after.strip_prefix(' ').unwrap_or(after),
            None => return (rest, count),
        }
    }
    (rest, max)
}

/// The formulas in a run of text, in order.
pub(super) fn find_formulas(text: &str, run: &TextRun) -> Vec<Formula> {
    let range = run.range();
    let line = text[..range.start].rfind('\n').map_or(0, |end| end + 1);
    let quotes = text[line..range.start].matches('>').count();
    Finder { text, run, end: range.end, quotes, levels: vec![BraceLevel::default()], found: Vec::new() }
        .run(range.start)
}

/// Possible opening dollars at one nesting level of braces.
#[derive(Debug, Clone, Copy, Default)]
struct BraceLevel {
    single: Option<usize>,
    double: Option<usize>,
}

struct Finder<'a> {
    text: &'a str,
    run: &'a TextRun,
    end: usize,
    quotes: usize,
    levels: Vec<BraceLevel>,
    found: Vec<Formula>,
}

impl Finder<'_> {
    fn run(mut self, begin: usize) -> Vec<Formula> {
        let bytes = self.text.as_bytes();
        let texts = &self.run.texts;
        let mut part = 0;
        // A backslash before the first character is not part of the run.
        let mut at = if begin > 0 && bytes[begin - 1] == b'\\' { begin - 1 } else { begin };
        while at < self.end {
            while texts.get(part).is_some_and(|text| text.end <= at) {
                part += 1;
            }
            let is_text = texts.get(part).is_some_and(|text| text.contains(&at));
            match bytes[at] {
                b'\\' => {
                    let is_escape = texts.get(part).is_some_and(|text| text.contains(&(at + 1)));
                    at = match is_escape.then(|| self.bracket_formula(at)).flatten() {
                        Some(formula) => self.add(formula),
                        None => at + 2,
                    };
                }
                b'{' if is_text => {
                    self.levels.push(BraceLevel::default());
                    at += 1;
                }
                // An unbalanced brace: the text before it and the text after it do not form a formula.
                b'}' if is_text => {
                    self.levels.pop();
                    if self.levels.is_empty() {
                        self.levels.push(BraceLevel::default());
                    }
                    at += 1;
                }
                b'$' if is_text => at = self.process_dollars(at),
                _ => at += 1,
            }
        }
        self.found
    }

    /// Adds a formula and removes those inside it. Returns its end.
    fn add(&mut self, formula: Formula) -> usize {
        let end = formula.range.end;
        while self.found.last().is_some_and(|inner| inner.range.start >= formula.range.start) {
            self.found.pop();
        }
        self.found.push(formula);
        end
    }

    fn formula(&self, range: Range<usize>, mark: usize, kind: FormulaKind) -> Formula {
        let inside = range.start + mark..range.end - mark;
        Formula { range, inside, kind, quotes: self.quotes, is_cell: self.run.is_cell }
    }

    /// A `\(…\)` or `\[…\]` formula whose backslash is at `at`.
    fn bracket_formula(&self, at: usize) -> Option<Formula> {
        let bytes = &self.text.as_bytes()[..self.end.min(at + MAX_FORMULA_BYTES)];
        let (open, close, kind) = match bytes.get(at + 1)? {
            b'(' => (b'(', b')', FormulaKind::Inline),
            b'[' => (b'[', b']', FormulaKind::Display),
            _ => return None,
        };
        let mut end = at + 2;
        loop {
            end += bytes.get(end..)?.iter().position(|byte| *byte == b'\\')?;
            let next = *bytes.get(end + 1)?;
            if next == close {
                break;
            }
            // Formulas do not nest: the second opening mark counts.
            if next == open {
                return None;
            }
            end += 2;
        }
        let formula = self.formula(at..end + 2, 2, kind);
        (!self.text[formula.inside.clone()].trim().is_empty()).then_some(formula)
    }

    /// Processes the dollars at a position. Returns their end.
    fn process_dollars(&mut self, at: usize) -> usize {
        let count = self.text[at..self.end].bytes().take_while(|byte| *byte == b'$').count();
        let level = self.levels.last().copied().unwrap_or_default();
        let mut next = BraceLevel::default();
        match (count, level) {
            (1, BraceLevel { single: Some(open), .. }) if is_formula(self.text, open, at) => {
                let mut formula = self.formula(open..at + 1, 1, FormulaKind::Inline);
                // GitHub's alternative notation.
                let inside = &self.text[formula.inside.clone()];
                if inside.len() > 2 && inside.starts_with('`') && inside.ends_with('`') {
                    formula.inside = open + 2..at - 1;
                }
                self.add(formula);
                next.double = level.double;
            }
            (1, _) => {
                let opens = self.text[at + 1..].starts_with(|c: char| !c.is_whitespace());
                next = BraceLevel { single: opens.then_some(at), double: level.double };
            }
            (2, BraceLevel { double: Some(open), .. }) if is_display(self.text, open, at) => {
                let formula = self.formula(open..at + 2, 2, FormulaKind::Display);
                self.add(formula);
            }
            (2, _) => next.double = Some(at),
            // `$$$` is a price range, as of restaurants.
            _ => {}
        }
        if let Some(level) = self.levels.last_mut() {
            *level = next;
        }
        at + count
    }
}

/// Whether the dollars at two positions enclose a formula rather than the text between two prices.
fn is_formula(text: &str, open: usize, close: usize) -> bool {
    let inside = &text[open + 1..close];
    let before = text[..open].chars().next_back().unwrap_or(' ');
    let (after, then) = {
        let mut chars = text[close + 1..].chars();
        (chars.next().unwrap_or(' '), chars.next().unwrap_or(' '))
    };
    let (Some(first), Some(last)) = (inside.chars().next(), inside.chars().next_back()) else { return false };
    let is_followed_by_price = after.is_ascii_digit() || (after == '.' && then.is_ascii_digit());
    // `US$`, `5$`; but `H$_2$O`.
    let is_unit = before.is_ascii_alphanumeric() && !matches!(first, '\\' | '^' | '_' | '{');
    // Not formulas: `$HOME/$USER`, `$5 ($x$`. `$x$-axis` is one, `$x-$axis` is not.
    let is_followed_by_word =
        after.is_ascii_alphabetic() && !(last.is_ascii_alphanumeric() || matches!(last, ')' | ']' | '}' | '\'' | '!'));
    let is_cut = inside.len() > 1 && matches!(last, '(' | '"') && !inside.ends_with("\\(");
    inside.len() <= MAX_FORMULA_BYTES
        && !first.is_whitespace()
        && !last.is_whitespace()
        && !is_followed_by_price
        && !is_unit
        && !is_followed_by_word
        && !is_cut
        && !has_strong_mark(inside)
        && !(is_amount(inside) && is_prose_after_amount(inside, after))
}

/// Whether the text begins with a number, as a price does.
fn is_amount(inside: &str) -> bool {
    inside.trim_start_matches(['-', '+', '.', '~']).starts_with(|c: char| c.is_ascii_digit())
}

/// Whether the text after a number is prose, or ends with an operator without an operand.
fn is_prose_after_amount(inside: &str, after: char) -> bool {
    let continues = !after.is_whitespace() && !matches!(after, '.' | ',' | ';' | ':' | '?' | '!' | ')' | '。' | '，');
    let ends_with_operator =
        inside.ends_with(|c: char| !c.is_alphanumeric() && !matches!(c, ')' | ']' | '}' | '\'' | '!' | '%'));
    let is_latex = inside.contains('^')
        || inside.match_indices('\\').any(|(at, _)| inside[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()));
    (ends_with_operator && continues) || inside.contains("](") || (!is_latex && has_words(inside))
}

fn has_words(inside: &str) -> bool {
    const FUNCTIONS: &[&str] = &["sin", "cos", "tan", "log", "exp", "max", "min", "mod", "gcd", "lim", "det"];
    const SMALL: &[&str] = &["or", "to", "a", "an", "and", "is", "in", "of", "on", "at", "by", "vs", "as", "it", "if"];
    let is_word = |word: &str| match word.len() {
        0..=2 => SMALL.contains(&word),
        _ => !FUNCTIONS.contains(&word),
    };
    inside.split(|c: char| !c.is_ascii_alphabetic()).any(is_word)
        || inside.chars().any(super::flanking::is_unspaced_script_char)
}

/// Whether there is a `**` outside of braces. `x^{**}` is mathematics.
fn has_strong_mark(inside: &str) -> bool {
    let mut depth = 0_usize;
    let mut stars = 0;
    for byte in inside.bytes() {
        stars = if byte == b'*' { stars + 1 } else { 0 };
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'*' if stars == 2 && depth == 0 => return true,
            _ => {}
        }
    }
    false
}

/// Whether double dollars at two positions enclose a formula rather than the text between two price ranges.
fn is_display(text: &str, open: usize, close: usize) -> bool {
    let inside = &text[open + 2..close];
    let trimmed = inside.trim();
    let is_followed_by_price = text[close + 2..].starts_with(|c: char| c.is_ascii_digit());
    let is_between = trimmed.starts_with(')') || trimmed.ends_with('(') || inside.contains("](");
    let is_words = trimmed.len() < inside.len()
        && trimmed.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word.len() > 1)
        && !trimmed.contains(['\\', '^', '_', '=', '+', '{', '<', '>']);
    let has_content = trimmed.chars().any(|c| !matches!(c, '-' | '–' | '—' | '/' | ',' | '|'));
    inside.len() <= MAX_FORMULA_BYTES
        && has_content
        && !is_followed_by_price
        && !is_between
        && !is_words
        && !has_strong_mark(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let whole = 0..text.len();
        let run = TextRun { texts: Vec::from([whole]), is_cell: false };
        find_formulas(text, &run).iter().map(|formula| formula.latex(text).into_owned()).collect()
    }

    #[test]
    fn dollars_delimit_formulas() {
        for (text, formulas) in [
            ("$x$", &["x"][..]),
            ("a $x$, $y$. $z$", &["x", "y", "z"]),
            ("$n$-th, $n$th and $\\alpha$'s", &["n", "n", "\\alpha"]),
            ("$5$ and $5x$ and $2 + 3 = 5$", &["5", "5x", "2 + 3 = 5"]),
            ("$10,000$ or $3 \\text{ apples}$", &["10,000", "3 \\text{ apples}"]),
            ("H$_2$O at 5$^\\circ$C", &["_2", "^\\circ"]),
            ("$x^{**}$ $f(x) = \\{1\\}$", &["x^{**}", "f(x) = \\{1\\}"]),
            ("$\\text{if $x$ holds}$", &["\\text{if $x$ holds}"]),
            ("设$x$为实数", &["x"]),
            ("$$x + y$$ and $$ a = b $$", &["x + y", " a = b "]),
            ("\\(a\\) \\[b \\\\] c\\]", &["a", "b \\\\] c"]),
            ("costs $5, and $x^2$ is", &["x^2"]),
            ("$5 ($x$ each), $5/$n$, $5元和$\\alpha$", &["x", "n", "\\alpha"]),
        ] {
            assert_eq!(found(text), formulas, "{text}");
        }
    }

    #[test]
    fn prices_are_not_formulas() {
        for text in [
            "**$5** and Pro costs **$7** a month",
            "$5-$10",
            "US$5 and US$6",
            "**$1,000.50** or **$2,000.75**",
            "$5/$6 (~$20) $5M $.50 $.75",
            "between $3 and $4",
            "\\$5 and \\$6",
            "_$5_ and _$6_",
            "[$5](a) [$6](b)",
            "\"$5\", \"$6\"",
            "5$ and 6$",
            "$5 for kids and 10$ for adults",
            "from $5 or 6$ on",
            "$5 and then $",
            "$HOME/$USER and $AAPL, $MSFT",
            "*$AAPL* and *$MSFT*",
            "**$AAPL** and **$MSFT**",
            "$$ to $$$, A ($$), B ($$)",
            "$$5 and $$6",
            "价格为$5，另一个为$7",
            "$x } $",
            "\\(a \\(b",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
