//! Where formulas are recognised, and where they are not.

use super::{
    super::{LiveText, render},
    descendants,
    incremental::stream_in_chunks,
    name_of, parse,
};

#[track_caller]
fn count(html: &str, element: &str) -> usize {
    descendants(&parse(html).document).iter().filter(|node| name_of(node).as_deref() == Some(element)).count()
}

/// Texts with display formulas: the text, and the number of formulas, lists and list items.
const DISPLAY_FORMULAS: &[(&str, usize, usize, usize)] = &[
    ("1. Start from Newton's law:\n   \\[\n   F\n   = m\\,a\n   \\]\n2. Next\n", 1, 1, 2),
    ("1. Law:\n\n   \\[\n   F\n   = m\\,a\n   \\]\n\n2. Next\n", 1, 1, 2),
    ("1. Law:\n\\[\nF\n- a\n\\]\n2. Next\n", 1, 1, 2),
    ("- a\n  $$\n  + x\n  $$\n- b\n", 1, 1, 2),
    ("- a\n\n      \\[\n      x\n      \\]\n\n- b\n", 1, 1, 2),
    ("- a\n\n        $$\n        x\n        $$\n- b\n", 1, 1, 2),
    ("1. a\n        \\[\n        x\n        \\]\n2. b\n", 1, 1, 2),
    ("- a\n  - b\n    \\[\n    # x\n    > y\n    1. z\n    | w\n    \\]\n  - c\n- d\n", 1, 2, 4),
    ("- \\[\n  x\n  = y\n  \\]\n- b\n", 1, 1, 2),
    ("1. a:\n   \\[\n   x\n\n   - y\n   \\]\n2. b\n", 1, 1, 2),
    ("> a\n> \\[\n> x\n> = y\n> \\]\n> b\n", 1, 0, 0),
    ("> - a\n>   \\[\n>   x\n>\n>   = y\n>   \\]\n> - b\n", 1, 1, 2),
    ("- > a\n  > $$\n  > - x\n  > $$\n- b\n", 1, 1, 2),
    ("\\[\nx\n\n= y\n\\]\n", 1, 0, 0),
    ("$$\nx\n\n- y\n\n+ z\n$$\nend\n", 1, 0, 0),
    ("   \\[\n   x\n   - y\n   \\]\n", 1, 0, 0),
    ("So we get: \\[\nF\n= ma\n===\n\\] and then\n", 1, 0, 0),
    ("So: $$\nF\n- ma\n$$\n", 1, 0, 0),
    ("\\[x\\] and \\[\n- y\n\\]\n", 2, 0, 0),
    ("$$x$$ is $$y$$\n", 2, 0, 0),
    ("| a |\n|---|\n| 1 |\n\\[x\\]\n", 1, 0, 0),
    ("1. a \\[x\\] b\n\n   c $$y$$\n", 2, 1, 1),
    ("- a\n\t\\[\n\tx\n\t\\]\n- b\n", 1, 1, 2),
    (
        "*   a\n\n    \\[\n    \\begin{aligned}\n    a &= b \\\\\n    - c &= d\n    \\end{aligned}\n    \\]\n\n*   b\n",
        1,
        1,
        2,
    ),
];

#[test]
fn display_formulas_are_found_wherever_a_block_may_be() {
    for (text, formulas, lists, items) in DISPLAY_FORMULAS {
        let html = render(text);
        assert_eq!(html.matches("display=\"block\"").count(), *formulas, "{text}\n{html}");
        assert_eq!(count(&html, "ol") + count(&html, "ul"), *lists, "{text}\n{html}");
        assert_eq!(count(&html, "li"), *items, "{text}\n{html}");
        assert!(!html.contains("math-error") && !html.contains("<h") && !html.contains("<pre"), "{text}\n{html}");
        assert_eq!(html.matches("<mo>&gt;</mo>").count(), text.matches("> y\n    1").count(), "{text}\n{html}");
        for size in [1, 3, 1_000] {
            let (done, tail) = stream_in_chunks(text, size);
            assert_eq!(done + &tail, html, "{text}");
        }
    }
}

#[test]
fn an_unclosed_formula_in_a_list_is_shown_as_source() {
    let text = "1. Law:\n   \\[\n   F\n   = m\\,a\n   \\]\n2. Next\n";
    let close = text.find("\\]").expect("a closing mark");
    for at in text.find("\\[").expect("an opening mark") + 2..close {
        let (done, tail) = stream_in_chunks(&text[..at], 1);
        let html = done + &tail;
        assert!(html.contains("<code class=\"math-error\">") && count(&html, "li") == 1, "{html}");
        assert!(!html.contains("<h") && !html.contains("<math"), "{html}");
    }
    assert!(stream_in_chunks(&text[..close + 2], 1).1.contains("<math display=\"block\">"));
}

#[test]
fn a_formula_that_is_never_closed_is_text() {
    for text in ["1. a\n   \\[\n   x\n2. b\n", "\\[\nx\n\nThis is the next paragraph.\n", "> $$\n> x\n\nEnd\n"] {
        let html = render(text);
        assert!(!html.contains("<math") && !html.contains("math-error"), "{html}");
    }
    // Once it is known that the formula is never closed, the text after it is finished.
    let mut live = LiveText::from("\\[\nx\n\nThis is the next paragraph.\n\nAnd another.\n");
    assert!(live.next_delta().expect("new text").done.contains("This is the next paragraph."));
}

#[test]
fn code_and_escaped_marks_are_not_formulas() {
    for text in [
        "- a\n  ```\n  \\[\n  x\n  \\]\n  ```\n- b\n",
        "> ```tex\n> $$\n> x\n> $$\n> ```\n",
        "1. a\n\n   ~~~\n   \\[\n   x\n   \\]\n",
        "text\n\n    \\[\n    x\n    \\]\n",
        "`\\[x\\]` and `$x$` and `\\(x\\)`",
        "`` a ` \\[ `` x \\]",
        "\\\\[x\\\\] and \\\\(x\\\\)",
        "\\$x\\$ and \\$\\$x\\$\\$",
        "[\\(](https://a.example)",
    ] {
        assert!(!render(text).contains("<math"), "{text}\n{}", render(text));
        let (done, tail) = stream_in_chunks(text, 1);
        assert!(!(done + &tail).contains("<math display"), "{text}");
    }
    let code = "- a\n  ```\n  \\[\n  x\n  \\]\n  ```\n";
    assert!(render(code).contains("\\[\nx\n\\]\n</code>"), "{}", render(code));
}

#[test]
fn formulas_are_not_read_as_markdown() {
    for (text, formulas) in [
        ("$a*b$ and $c*d$", 2),
        ("\\(a_1 * b_2\\) and \\(c_1 * d_2\\)", 2),
        ("**$x$** and *\\(y\\)*", 2),
        ("$a < b$ and $b > c$", 2),
        ("\\(a<b\\) or \\(b>c\\)", 2),
        ("$x_[1](a)$", 1),
        ("$`a_1 + b_1`$ and `$x$`", 1),
        ("| a | b |\n|---|---|\n| $x$ | \\(y\\) |\n", 2),
        ("| a |\n|---|\n| $\\|x\\|$ |\n", 1),
        ("$\\{a\\}$ and $\\text{a $b$ c}$", 2),
        ("[see $x$](https://a.example)", 1),
        ("> so \\(a\n> b\\) holds", 1),
    ] {
        let html = render(text);
        assert_eq!(count(&html, "math"), formulas, "{text}\n{html}");
        assert!(!html.contains("math-error"), "{text}\n{html}");
    }
    assert!(!render("| a |\n|---|\n| $\\|x\\|$ |\n").contains('∥'));
    assert_eq!(count(&render("**$x$** and *\\(y\\)*"), "strong"), 1);
    assert!(render("![a $x$ b](https://a.example)").contains(" a x b (a.example)"));
}

#[test]
fn prices_are_never_formulas() {
    for text in [
        "Basic costs **$5** and Pro costs **$7** a month.",
        "$5-$10, $5–$10, US$5 and $6, $5/$6, (~$20), $5M",
        "**$1,000.50** or *$2,000.75* or ***$3***",
        "between $3 and $4; from $5 or 6$ on; 5$ and 6$",
        "_$5_ and __$6__ and ~~$7~~",
        "[$5](https://a.example) and [$6](https://b.example)",
        "- $5\n- $6\n",
        "> $5 and\n> $6\n",
        "# $5 or $6\n",
        "| Plan | Price |\n|---|---|\n| Basic | $5 |\n| Pro | **$7** |\n| Both | $5 + $7 |\n",
        "\"$5\", '$6', ($7), [$8] and {$9}",
        "$5, and \\$6 and `$7`",
        "价格从$5到$10，原价**$20**。",
        "$5 plus tax is more than $6.",
        "$0.50/$1.00 per 1K/1M tokens: $3/$15",
    ] {
        let html = render(text);
        assert!(!html.contains("<math") && !html.contains("math-error"), "{text}\n{html}");
        let (done, tail) = stream_in_chunks(text, 1);
        assert_eq!(done + &tail, html, "{text}");
    }
    let html = render("Basic costs **$5** and Pro costs **$7** a month.");
    assert!(html.contains("<strong>$5</strong> and Pro costs <strong>$7</strong>"), "{html}");
    let html = render("It costs **$5**, and $x^2$ is a formula, as $5x$ and **$n$** are.");
    assert!(html.contains("<strong>$5</strong>") && count(&html, "math") == 3, "{html}");
}
