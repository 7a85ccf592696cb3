//! The preview of an answer for the lists of chats: its first words, without Markdown.

use pulldown_cmark::{Event, Parser, TagEnd};

use super::{
    options::OPTIONS,
    prepare::prepare,
    segments::{Segment, split},
};
use crate::domain::message_preview;

/// How much of an answer is read. Much longer than a preview, because addresses of links do not appear in it.
const MAX_CHARS: usize = 2_000;

/// The beginning of an answer as one line of plain words.
pub fn preview(answer: &str) -> String {
    let head = answer.char_indices().nth(MAX_CHARS).map_or(answer, |(end, _)| &answer[..end]);
    let mut words = String::with_capacity(head.len());
    for segment in split(head) {
        match segment {
            Segment::Markdown(text) | Segment::OpenMarkdown(text) => push_words(&mut words, text),
            Segment::Formula(text) | Segment::OpenFormula(text) | Segment::Plain(text) => words.push_str(text),
        }
        words.push(' ');
    }
    message_preview(&words)
}

/// The preview of a chat as it is shown. Those written by earlier versions are one line of Markdown; only what cannot be
/// meant literally is read as such, because the words of a program may look like marks.
pub fn clean_preview(stored: String) -> String {
    if !looks_like_markdown(&stored) {
        return stored;
    }
    let is_mark = |word: &&str| word.starts_with("```") || word.bytes().all(|byte| byte == b'#');
    let line: Vec<&str> = stored.split(' ').filter(|word| !is_mark(word)).collect();
    preview(&line.join(" "))
}

fn looks_like_markdown(line: &str) -> bool {
    let is_heading = |word: &str| word.len() >= 2 && word.bytes().all(|byte| byte == b'#');
    let is_strong = |word: &str| word.strip_prefix("**").is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    line.starts_with("# ") || line.split(' ').any(|word| is_heading(word) || is_strong(word) || word.starts_with("```"))
}

fn push_words(words: &mut String, source: &str) {
    let prepared = prepare(source, false);
    let mut formulas = prepared.formulas.iter().peekable();
    for (event, range) in Parser::new_ext(&prepared.text, OPTIONS).into_offset_iter() {
        match event {
            Event::InlineHtml(html) if html.starts_with("<br") => words.push(' '),
            Event::Text(text) | Event::Code(text) | Event::InlineHtml(text) | Event::Html(text) => {
                let is_unchanged = prepared.text.get(range.clone()) == Some(&*text);
                // A formula may be split into several texts; it is appended with the first one.
                let mut from = range.start;
                while let Some(formula) = formulas.next_if(|formula| formula.range.start < range.end) {
                    words.push_str(source.get(from..formula.range.start).unwrap_or_default());
                    words.push_str(formula.latex(source).trim());
                    from = formula.range.end;
                }
                match source.get(from..range.end) {
                    Some(rest) if from > range.start || is_unchanged => words.push_str(rest),
                    Some(_) => words.push_str(&text),
                    None => {}
                }
            }
            Event::SoftBreak | Event::HardBreak | Event::Rule => words.push(' '),
            Event::End(tag) if ends_words(tag) => words.push(' '),
            _ => {}
        }
    }
}

/// Whether the words after this end do not continue those before it.
const fn ends_words(tag: TagEnd) -> bool {
    !matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_contain_words_only() {
        for (markdown, words) in [
            ("## Part 1\n\nIt **rains** a _lot_, ~~not~~ `x * y`.", "Part 1 It rains a lot, not x * y."),
            ("```rust\nfn main() {}\n```\nDone.", "fn main() {} Done."),
            ("| a | b |\n|---|---|\n| 1 | 2 |", "a b 1 2"),
            ("- [x] milk\n- eggs\n\n1. one", "milk eggs one"),
            (
                "See [the *book*](https://example.org/a_b_c) and <https://a.example>.",
                "See the book and https://a.example.",
            ),
            ("> quoted\n> text\n\n---\n\nafter", "quoted text after"),
            ("The area is $\\pi r^2$, so \\(a * b * c\\) fits.", "The area is \\pi r^2, so a * b * c fits."),
            ("Euler:\n\n$$e^{i\\pi} = -1$$\n\nNice.", "Euler: e^{i\\pi} = -1 Nice."),
            ("**مرحبا** بالعالم", "مرحبا بالعالم"),
            ("**「本」**を読む", "「本」を読む"),
            ("a &amp; b \\* c<br>d", "a & b * c d"),
            ("2 * 3 * 4, snake_case_name", "2 * 3 * 4, snake_case_name"),
            ("**open", "**open"),
            ("", ""),
        ] {
            assert_eq!(preview(markdown), words, "{markdown}");
        }
    }

    #[test]
    fn the_work_for_a_preview_is_bounded() {
        let long = preview(&"**word** ".repeat(100_000));
        assert_eq!((long.chars().count(), long.contains('*')), (140, false), "{long}");
        assert!(preview(&format!("[link](https://example.org/{}) after", "x".repeat(1_000))).ends_with("link after"));
        for nested in
            ["> ".repeat(5_000), "- ".repeat(5_000), "[".repeat(5_000), "*a_".repeat(5_000), "$".repeat(5_000)]
        {
            assert!(preview(&nested).chars().count() <= 140);
        }
    }

    #[test]
    fn previews_of_earlier_versions_lose_their_marks() {
        for (stored, shown) in [
            ("## Part 1 The **first** part ### Next", "Part 1 The first part Next"),
            ("# Title words", "Title words"),
            ("```rust fn main() {} ``` Done", "fn main() {} Done"),
            // Words that are not certainly Markdown stay.
            ("C# and F#, 2**3**2, __init__.py, a * b * c", "C# and F#, 2**3**2, __init__.py, a * b * c"),
            ("- item, `x`", "- item, `x`"),
        ] {
            assert_eq!(clean_preview(stored.to_owned()), shown);
        }
    }
}
