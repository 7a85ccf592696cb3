//! Formulas in the running text: which `$` begin and end one, and which are prices; `\(…\)` and `\[…\]`.

use std::{borrow::Cow, ops::Range};

use super::edits::Run;

/// How far a formula's end may be from its beginning, in bytes.
const LONGEST: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Inline,
    Display,
    /// A display formula whose end has not come.
    Open,
}

/// A formula, as places in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Formula {
    /// Where it stands, with its marks.
    pub(super) range: Range<usize>,
    /// What is between the marks.
    pub(super) inside: Range<usize>,
    pub(super) kind: Kind,
    /// Markers of quotes before each of its lines.
    pub(super) quotes: usize,
    /// Whether it stands in a cell of a table, where `|` is written `\|`.
    pub(super) is_cell: bool,
}

impl Formula {
    /// Its LaTeX: without the quotes' markers, and without the escapes of a table's cell.
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
            lines.map(|(n, line)| if n == 0 { line } else { after_quotes(line, self.quotes).0 }).collect();
        Cow::Owned(lines.join("\n"))
    }
}

/// A line without the markers of up to so many quotes, and how many it had.
pub(super) fn after_quotes(line: &str, most: usize) -> (&str, usize) {
    let mut rest = line;
    for count in 0..most {
        match rest.trim_start_matches([' ', '\t']).strip_prefix('>') {
            Some(after) => rest = after.strip_prefix(' ').unwrap_or(after),
            None => return (rest, count),
        }
    }
    (rest, most)
}

/// The formulas in a run of text, in order.
pub(super) fn find(text: &str, run: &Run) -> Vec<Formula> {
    let range = run.range();
    let line = text[..range.start].rfind('\n').map_or(0, |end| end + 1);
    let quotes = text[line..range.start].matches('>').count();
    Finder { text, run, end: range.end, quotes, levels: vec![Level::default()], found: Vec::new() }.run(range.start)
}

/// Dollars that may begin a formula, at one depth of braces.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    single: Option<usize>,
    double: Option<usize>,
}

struct Finder<'a> {
    text: &'a str,
    run: &'a Run,
    end: usize,
    quotes: usize,
    levels: Vec<Level>,
    found: Vec<Formula>,
}

impl Finder<'_> {
    fn run(mut self, begin: usize) -> Vec<Formula> {
        let bytes = self.text.as_bytes();
        let texts = &self.run.texts;
        let mut part = 0;
        // The backslash before the first character is not part of the text.
        let mut at = if begin > 0 && bytes[begin - 1] == b'\\' { begin - 1 } else { begin };
        while at < self.end {
            while texts.get(part).is_some_and(|text| text.end <= at) {
                part += 1;
            }
            let is_text = texts.get(part).is_some_and(|text| text.contains(&at));
            match bytes[at] {
                b'\\' => {
                    let is_escape = texts.get(part).is_some_and(|text| text.contains(&(at + 1)));
                    at = match is_escape.then(|| self.bracketed(at)).flatten() {
                        Some(formula) => self.take(formula),
                        None => at + 2,
                    };
                }
                b'{' if is_text => {
                    self.levels.push(Level::default());
                    at += 1;
                }
                // A brace too many: what stands before it and what comes after are no formula together.
                b'}' if is_text => {
                    self.levels.pop();
                    if self.levels.is_empty() {
                        self.levels.push(Level::default());
                    }
                    at += 1;
                }
                b'$' if is_text => at = self.dollars(at),
                _ => at += 1,
            }
        }
        self.found
    }

    /// Adds a formula in place of those that lie inside it.
    fn take(&mut self, formula: Formula) -> usize {
        let end = formula.range.end;
        while self.found.last().is_some_and(|inner| inner.range.start >= formula.range.start) {
            self.found.pop();
        }
        self.found.push(formula);
        end
    }

    fn formula(&self, range: Range<usize>, mark: usize, kind: Kind) -> Formula {
        let inside = range.start + mark..range.end - mark;
        Formula { range, inside, kind, quotes: self.quotes, is_cell: self.run.is_cell }
    }

    /// `\(…\)` or `\[…\]` whose backslash is at `at`.
    fn bracketed(&self, at: usize) -> Option<Formula> {
        let bytes = &self.text.as_bytes()[..self.end.min(at + LONGEST)];
        let (open, close, kind) = match bytes.get(at + 1)? {
            b'(' => (b'(', b')', Kind::Inline),
            b'[' => (b'[', b']', Kind::Display),
            _ => return None,
        };
        let mut end = at + 2;
        loop {
            end += bytes.get(end..)?.iter().position(|byte| *byte == b'\\')?;
            let next = *bytes.get(end + 1)?;
            if next == close {
                break;
            }
            // Formulas do not nest: the second one counts.
            if next == open {
                return None;
            }
            end += 2;
        }
        let formula = self.formula(at..end + 2, 2, kind);
        (!self.text[formula.inside.clone()].trim().is_empty()).then_some(formula)
    }

    /// What dollars at a place mean; returns where they end.
    fn dollars(&mut self, at: usize) -> usize {
        let count = self.text[at..self.end].bytes().take_while(|byte| *byte == b'$').count();
        let level = self.levels.last().copied().unwrap_or_default();
        let mut next = Level::default();
        match (count, level) {
            (1, Level { single: Some(open), .. }) if is_formula(self.text, open, at) => {
                let mut formula = self.formula(open..at + 1, 1, Kind::Inline);
                // GitHub's other way to write it.
                let inside = &self.text[formula.inside.clone()];
                if inside.len() > 2 && inside.starts_with('`') && inside.ends_with('`') {
                    formula.inside = open + 2..at - 1;
                }
                self.take(formula);
                next.double = level.double;
            }
            (1, _) => {
                let opens = self.text[at + 1..].starts_with(|c: char| !c.is_whitespace());
                next = Level { single: opens.then_some(at), double: level.double };
            }
            (2, Level { double: Some(open), .. }) if is_display(self.text, open, at) => {
                let formula = self.formula(open..at + 2, 2, Kind::Display);
                self.take(formula);
            }
            (2, _) => next.double = Some(at),
            // `$$$` is how expensive a restaurant is.
            _ => {}
        }
        if let Some(level) = self.levels.last_mut() {
            *level = next;
        }
        at + count
    }
}

/// Whether the dollars at two places enclose a formula, and not what stands between two prices.
fn is_formula(text: &str, open: usize, close: usize) -> bool {
    let inside = &text[open + 1..close];
    let before = text[..open].chars().next_back().unwrap_or(' ');
    let (after, then) = {
        let mut chars = text[close + 1..].chars();
        (chars.next().unwrap_or(' '), chars.next().unwrap_or(' '))
    };
    let (Some(first), Some(last)) = (inside.chars().next(), inside.chars().next_back()) else { return false };
    let is_price_next = after.is_ascii_digit() || (after == '.' && then.is_ascii_digit());
    // `US$`, `5$`; but `H$_2$O`.
    let is_unit = before.is_ascii_alphanumeric() && !matches!(first, '\\' | '^' | '_' | '{');
    // `$HOME/$USER`, `$5 ($x$`, `$x$-axis` is one, `$x-$axis` is none.
    let is_word_next =
        after.is_ascii_alphabetic() && !(last.is_ascii_alphanumeric() || matches!(last, ')' | ']' | '}' | '\'' | '!'));
    let is_cut = inside.len() > 1 && matches!(last, '(' | '"') && !inside.ends_with("\\(");
    inside.len() <= LONGEST
        && !first.is_whitespace()
        && !last.is_whitespace()
        && !is_price_next
        && !is_unit
        && !is_word_next
        && !is_cut
        && !has_strong_mark(inside)
        && !(is_amount(inside) && is_prose_after_amount(inside, after))
}

/// Whether it begins with a number, as a price does.
fn is_amount(inside: &str) -> bool {
    inside.trim_start_matches(['-', '+', '.', '~']).starts_with(|c: char| c.is_ascii_digit())
}

/// Words of a sentence behind a number, or an operator that leads nowhere.
fn is_prose_after_amount(inside: &str, after: char) -> bool {
    let goes_on = !after.is_whitespace() && !matches!(after, '.' | ',' | ';' | ':' | '?' | '!' | ')' | '。' | '，');
    let ends_openly =
        inside.ends_with(|c: char| !c.is_alphanumeric() && !matches!(c, ')' | ']' | '}' | '\'' | '!' | '%'));
    let is_latex = inside.contains('^')
        || inside.match_indices('\\').any(|(at, _)| inside[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()));
    (ends_openly && goes_on) || inside.contains("](") || (!is_latex && has_words(inside))
}

fn has_words(inside: &str) -> bool {
    const FUNCTIONS: &[&str] = &["sin", "cos", "tan", "log", "exp", "max", "min", "mod", "gcd", "lim", "det"];
    const SMALL: &[&str] = &["or", "to", "a", "an", "and", "is", "in", "of", "on", "at", "by", "vs", "as", "it", "if"];
    let is_word = |word: &str| match word.len() {
        0..=2 => SMALL.contains(&word),
        _ => !FUNCTIONS.contains(&word),
    };
    inside.split(|c: char| !c.is_ascii_alphabetic()).any(is_word) || inside.chars().any(super::flanking::is_unspaced)
}

/// `**` outside of braces: `x^{**}` is mathematics.
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

/// Whether double dollars at two places enclose a formula, and not what stands between two classes of prices.
fn is_display(text: &str, open: usize, close: usize) -> bool {
    let inside = &text[open + 2..close];
    let trimmed = inside.trim();
    let is_price_next = text[close + 2..].starts_with(|c: char| c.is_ascii_digit());
    let is_between = trimmed.starts_with(')') || trimmed.ends_with('(') || inside.contains("](");
    let is_words = trimmed.len() < inside.len()
        && trimmed.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word.len() > 1)
        && !trimmed.contains(['\\', '^', '_', '=', '+', '{', '<', '>']);
    let has_content = trimmed.chars().any(|c| !matches!(c, '-' | '–' | '—' | '/' | ',' | '|'));
    inside.len() <= LONGEST && has_content && !is_price_next && !is_between && !is_words && !has_strong_mark(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let whole = 0..text.len();
        let run = Run { texts: Vec::from([whole]), is_cell: false };
        find(text, &run).iter().map(|formula| formula.latex(text).into_owned()).collect()
    }

    #[test]
    fn dollars_enclose_formulas() {
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
    fn prices_enclose_nothing() {
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
