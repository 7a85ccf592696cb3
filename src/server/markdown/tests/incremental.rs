//! Incremental rendering ends with the same result as rendering the whole text.

use proptest::prelude::*;

use super::{
    super::{
        LiveText, diff_tail, render,
        segments::{Segment, split_open},
    },
    assert_harmless,
    corpus::ANSWERS,
};

/// Feeds a text in chunks of `size` characters. Returns the finished HTML and the last tail.
#[track_caller]
pub(super) fn stream_in_chunks(text: &str, size: usize) -> (String, String) {
    let mut live = LiveText::default();
    let (mut done, mut tail) = (String::new(), String::new());
    let chars: Vec<char> = text.chars().collect();
    for chunk in chars.chunks(size) {
        live.push(&chunk.iter().collect::<String>());
        let delta = live.next_delta().expect("new text");
        let (keep, add) = diff_tail(&tail, &delta.tail);
        assert_eq!(format!("{}{add}", &tail[..keep as usize]), delta.tail);
        done.push_str(&delta.done);
        tail = delta.tail;
    }
    assert_eq!(live.text(), text);
    assert_eq!(live.snapshot(), (done.clone(), tail.clone()), "{text:?}");
    (done, tail)
}

#[test]
fn answers_end_with_the_full_rendering() {
    for answer in ANSWERS {
        for size in [1, 2, 3, 7, 40, 10_000] {
            let (done, tail) = stream_in_chunks(answer, size);
            assert_eq!(done + &tail, render(answer), "in chunks of {size}: {answer:?}");
        }
    }
}

#[test]
fn joined_answers_end_with_the_full_rendering() {
    let text = ANSWERS.join("\n\n");
    let (done, tail) = stream_in_chunks(&text, 5);
    assert_eq!(done + &tail, render(&text));
}

#[test]
fn answers_are_harmless() {
    for answer in ANSWERS {
        assert_harmless(&render(answer), answer);
    }
}

#[test]
fn an_open_fence_is_shown_as_code_immediately() {
    let mut live = LiveText::default();
    live.push("Text\n\n```rust\nlet x = 1;\nlet y");
    let delta = live.next_delta().expect("new text");
    assert!(delta.done.starts_with("<p dir=\"auto\">Text</p>"), "{delta:?}");
    assert!(
        delta.tail.contains("language-rust") && delta.tail.contains("<span class=\"t-k\">let</span> y</code>"),
        "{delta:?}"
    );
    live.push(" = 2;\n``");
    assert!(!live.next_delta().expect("new text").tail.contains("``"));
    live.push("`\nAfter");
    let delta = live.next_delta().expect("new text");
    assert!(delta.done.contains("language-rust") && delta.tail.contains("After"), "{delta:?}");
}

#[test]
fn an_open_formula_is_shown_as_its_source() {
    let mut live = LiveText::default();
    live.push("So\n\\[\n- x\n");
    assert!(live.next_delta().expect("new text").tail.contains("<code class=\"math-error\">- x</code>"));
    live.push("\\]\n");
    assert!((live.next_delta().expect("new text").done).contains("<math display=\"block\">"));
}

#[test]
fn tail_patches_keep_the_common_prefix() {
    assert_eq!(diff_tail("", ""), (0, String::new()));
    assert_eq!(diff_tail("<p>a</p>", "<p>ab</p>"), (4, "b</p>".to_owned()));
    assert_eq!(diff_tail("abc", "ab"), (2, String::new()));
    assert_eq!(diff_tail("é", "è"), (0, "è".to_owned()));
    let long = "x".repeat(1_000);
    assert_eq!(diff_tail(&long, &format!("{long}é")), (1_000, "é".to_owned()));
    assert_eq!(diff_tail(&format!("{long}é"), &format!("{long}è")), (1_000, "è".to_owned()));
}

/// Whether a text ends within a display formula.
fn is_open(text: &str) -> bool {
    matches!(split_open(text).0.last(), Some(Segment::OpenFormula(_) | Segment::OpenMarkdown(_)))
}

#[test]
fn text_ends_with_the_line_that_makes_it_a_heading() {
    let text = "a\n===\n-\n        \\[ x\ntext";
    assert!(is_open(text), "the list item is known, so the formula is too");
    let (done, tail) = stream_in_chunks(text, 1);
    assert_eq!(done + &tail, stream_in_chunks(text, 7).0 + &stream_in_chunks(text, 7).1);
    let more = "> a\n===\n- b\n\n- a\n===\n- b\n  ===\n  c";
    let (done, tail) = stream_in_chunks(more, 1);
    assert_eq!(done + &tail, render(more));
}

/// Lines that occur in answers, in random order.
fn lines() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(
        prop::sample::select(
            &[
                "",
                "",
                "",
                "text",
                "**bold** `code`",
                "- item",
                "  - nested",
                "    more",
                "1. one",
                "2. two",
                "   continued",
                "> quote",
                "> - in quote",
                "# head",
                "===",
                "---",
                "| a | b |",
                "|---|---|",
                "```",
                "```rust",
                "let x = 1;",
                "    indented",
                "* star",
                "***",
                "<div>",
                "</div>",
                "<b>x</b>",
                "$a$ and \\(b\\)",
                "- [x] task",
                "\ttab",
                "+",
                "-",
                "1.",
                "~~~",
                "a  ",
                "b\\",
                "\\[x\\]",
                "  \\[",
                "\\[",
                "\\]",
                "   \\]",
                "    $$",
                "$$",
                "- $$",
                "> \\[",
                "> = y",
                "so: \\[",
                "= z",
                "+ w",
                "        \\[ x",
                "costs **$5** and **$7** or $n$",
                "は**「保存」**と*“強調”*の",
                "__「注」__文~~（旧）~~新",
                "This is a whole sentence.",
            ][..],
        ),
        0..24,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_end_with_the_full_rendering(lines in lines(), size in 1_usize..9, end in any::<bool>()) {
        let mut text = lines.join("\n");
        if end {
            text.push('\n');
        }
        let (done, tail) = stream_in_chunks(&text, size);
        let grown = done + &tail;
        assert_harmless(&grown, &text);
        // An unclosed formula is shown as its source while the text grows, and as text in the end.
        if !is_open(&text) {
            prop_assert_eq!(grown, render(&text));
        }
    }

    #[test]
    fn any_characters_of_other_scripts_end_with_the_full_rendering(
        text in "[ab文は的。「」“”（）！\u{fe0f}✅\u{0e01}\u{0e49}*_~$5x`\\\\()\\[\\]| \n>-]{0,80}",
        size in 1_usize..5,
    ) {
        let (done, tail) = stream_in_chunks(&text, size);
        assert_harmless(&done, &text);
        assert_harmless(&tail, &text);
        if !is_open(&text) {
            prop_assert_eq!(done + &tail, render(&text));
        }
    }

    #[test]
    fn any_characters_are_harmless(text in "[-a-c<>&\"'`*_\\[\\](){}$#|!~:/.=+0-2\\\\ \n\tx\u{202e}é]{0,120}") {
        let (done, tail) = stream_in_chunks(&text, 3);
        assert_harmless(&done, &text);
        assert_harmless(&tail, &text);
        assert_harmless(&render(&text), &text);
    }
}
