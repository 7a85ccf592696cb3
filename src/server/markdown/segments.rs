//! Splits a text into segments: display formulas at the margin and lines that are nested too deeply are separated from
//! the Markdown. Formulas in lists and quotes stay within it (`prepare`).

use super::{
    formulas::FormulaKind,
    lines::{BlockMark, scan},
};

/// A segment of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    /// Markdown source.
    Markdown(&'a str),
    /// The inside of a display formula.
    Formula(&'a str),
    /// A display formula that is not closed yet. Only at the end of a text that is still growing.
    OpenFormula(&'a str),
    /// Markdown that ends with such a formula, in a list or a quote.
    OpenMarkdown(&'a str),
    /// Lines that are shown as plain text.
    Plain(&'a str),
}

/// Splits a finished text. An unclosed formula is Markdown.
pub(super) fn split(text: &str) -> Vec<Segment<'_>> {
    split_segments(text, false)
}

/// Splits a growing text. Also returns where the last segment begins.
pub(super) fn split_open(text: &str) -> (Vec<Segment<'_>>, usize) {
    let segments = split_segments(text, true);
    let last = segments.len().saturating_sub(1);
    let begin = end_of_segments(text, &segments[..last]);
    (segments, begin)
}

/// Where the text continues after the given segments, each of which is a slice of it.
fn end_of_segments(text: &str, segments: &[Segment<'_>]) -> usize {
    segments.last().map_or(0, |segment| {
        let (Segment::Markdown(part)
        | Segment::OpenMarkdown(part)
        | Segment::Plain(part)
        | Segment::OpenFormula(part)
        | Segment::Formula(part)) = *segment;
        let end = part.as_ptr() as usize - text.as_ptr() as usize + part.len();
        match segment {
            // A formula is followed by its closing mark and the end of the line.
            Segment::Formula(_) => end + text[end..].find('\n').map_or(text.len() - end, |at| at + 1),
            _ => end,
        }
    })
}

fn split_segments(text: &str, is_open: bool) -> Vec<Segment<'_>> {
    let mut segments = Vec::new();
    let mut begin = 0;
    let mut is_last_open = false;
    for mark in scan(text, is_open) {
        match mark {
            BlockMark::TooDeep(line) => {
                push_markdown(&mut segments, text, begin, line.start);
                segments.push(Segment::Plain(&text[line.clone()]));
                begin = line.end;
            }
            BlockMark::Formula { formula, line, is_alone: true } => {
                push_markdown(&mut segments, text, begin, line);
                if formula.kind == FormulaKind::Open {
                    segments.push(Segment::OpenFormula(&text[formula.range]));
                    begin = text.len();
                } else {
                    segments.push(Segment::Formula(&text[formula.inside]));
                    begin = end_of_segments(text, &segments);
                }
            }
            BlockMark::Formula { formula, .. } => is_last_open = formula.kind == FormulaKind::Open,
        }
    }
    if is_last_open {
        segments.push(Segment::OpenMarkdown(&text[begin..]));
    } else {
        push_markdown(&mut segments, text, begin, text.len());
    }
    segments
}

fn push_markdown<'a>(segments: &mut Vec<Segment<'a>>, text: &'a str, begin: usize, end: usize) {
    if begin < end {
        segments.push(Segment::Markdown(&text[begin..end]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Segment::{Formula, Markdown, OpenFormula, OpenMarkdown, Plain};

    #[test]
    fn formulas_at_the_margin_are_separate_segments() {
        assert_eq!(split("a\n\\[\nx\n- y\n\\]\nb"), [Markdown("a\n"), Formula("\nx\n- y\n"), Markdown("b")]);
        assert_eq!(split("$$x$$\n\n$$\ny\n$$"), [Formula("x"), Markdown("\n"), Formula("\ny\n")]);
        assert_eq!(split("$$x$$ and more"), [Markdown("$$x$$ and more")]);
        assert_eq!(split("$$\nx\n\ny$$"), [Markdown("$$\nx\n\ny$$")]);
        assert_eq!(split("a\n$$\nx"), [Markdown("a\n$$\nx")]);
        assert_eq!(split_open("a\n$$\nx"), (vec![Markdown("a\n"), OpenFormula("$$\nx")], 2));
        assert_eq!(split_open("\\[x\\]\nb"), (vec![Formula("x"), Markdown("b")], 6));
    }

    #[test]
    fn a_formula_at_the_margin_may_have_blank_lines() {
        assert_eq!(split("\\[\na\n\n- b\n\\]\nc"), [Formula("\na\n\n- b\n"), Markdown("c")]);
        assert_eq!(split("$$\na\n\nb\n$$"), [Formula("\na\n\nb\n")]);
        for never in [
            "\\[\na\n\nThis is a sentence.\n\nb\n\\]\n",
            "\\[\na\n\n## Head\n\nb\n\\]\n",
            "\\[ a\n\nb\n\\]\n",
            "\\[\na\n\nb \\]\n",
            "\\[\na\n```\nb\n\\]\n",
            "\\[\n\n\\]\n",
        ] {
            assert_eq!(split(never), [Markdown(never)]);
        }
        assert_eq!(split_open("\\[\na\n\nThis is").0, [OpenFormula("\\[\na\n\nThis is")]);
    }

    #[test]
    fn formulas_in_lists_and_quotes_stay_in_the_markdown() {
        for text in ["- a\n  \\[\n  x\n  \\]\n- b", "> \\[\n> x\n> \\]\n", "1. a\n\\[\nx\n\\]\n2. b"] {
            assert_eq!(split(text), [Markdown(text)]);
        }
        let open = "- a\n  \\[\n  x";
        assert_eq!(split_open(open), (vec![OpenMarkdown(open)], 0));
        assert_eq!(split(open), [Markdown(open)]);
    }

    #[test]
    fn code_blocks_are_not_split() {
        let code = "```tex\n\\[\nx\n\\]\n```\n";
        assert_eq!(split(code), [Markdown(code)]);
        let open = "~~~\n$$\nx\n$$\n```\n";
        assert_eq!(split(open), [Markdown(open)]);
    }

    #[test]
    fn row_64_too_deeply_nested_lines_are_plain_text() {
        let deep = format!("{}a\n", ">".repeat(60));
        assert_eq!(split(&format!("x\n{deep}y")), [Markdown("x\n"), Plain(&deep), Markdown("y")]);
        let rule = "* ".repeat(60);
        assert_eq!(split(&rule), [Markdown(&rule)]);
        let indented = format!("{}- a", " ".repeat(100));
        assert_eq!(split(&indented), [Plain(&indented)]);
    }
}
