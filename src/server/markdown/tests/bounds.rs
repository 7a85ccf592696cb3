//! Row 64, D03: rendering time grows linearly with the text, whatever its content.

use std::time::{Duration, Instant};

use super::super::{LiveText, render};

/// A name, and a function that generates a text of about the given size in bytes.
type TextGenerator = (&'static str, Box<dyn Fn(usize) -> String>);

/// Generators of texts that are expensive to render.
fn expensive_texts() -> Vec<TextGenerator> {
    fn of(unit: &'static str) -> Box<dyn Fn(usize) -> String> {
        Box::new(move |size| unit.repeat(size / unit.len()))
    }
    let mut texts: Vec<TextGenerator> = [
        "`",
        "[",
        "![",
        "[a](",
        ">",
        "> ",
        "- ",
        "1. ",
        "*",
        "*a ",
        "**a *b _c ",
        "<",
        "<a ",
        "<!-- ",
        "&",
        "&a;",
        "$",
        "$a ",
        "{a$}b ",
        "~a ~~b ",
        "\\",
        "a\\\n",
        "a\n=\n",
        "> - ",
        "> [!NOTE]\n",
        "a|b\n-|-\n",
        "[a](<b",
        "[^a]:",
        "![[]()",
        "\n",
        " ",
        "word ",
        "https://a.example/((((",
        "https://a.example ",
        "http",
        "\\(",
        "\\(a ",
        "\\[\n",
        "$$\n",
        "$$a\n",
        "\\[a\\]\n",
        "$x^2$ ",
        "\u{202E}",
        "- a\n",
        "| a ",
        "[a]: b\n",
        "# a\n",
        "```\n",
        "```rust\n",
        "~~~\nx\n",
        "文**「a」**",
        "文__「",
        "文*",
        "$5 and ",
        "${",
        "}$",
        "$a$",
        "\\(a\\) ",
        "- \\[\n",
        "- \\[ a\n\n",
        "> $$ a\n",
        "  \\[\n  a\n\n",
        "so: \\[\n",
        "~$5 ",
        "$\\boxed{x}$ ",
        "$\\ce{H2O}$ ",
    ]
    .into_iter()
    .map(|unit| (unit, of(unit)))
    .collect();
    texts.push((
        "quotes and lazy lines",
        Box::new(|size| format!("{}a\n{}", ">".repeat(size / 2), "b\n".repeat(size / 4))),
    ));
    texts.push((
        "quotes at the limit and lazy lines",
        Box::new(|size| format!("{}a\n{}", ">".repeat(47), "b\n".repeat(size / 2))),
    ));
    texts.push((
        "lists and lazy lines",
        Box::new(|size| format!("{}a\n{}", "- ".repeat(size / 4), "b\n".repeat(size / 4))),
    ));
    texts.push((
        "lists deeper and deeper",
        Box::new(|size| (0..).map(|n| format!("{}- a\n", " ".repeat(n % 500))).take(size / 250).collect()),
    ));
    texts.push(("one table row", Box::new(|size| format!("|a|b|\n|-|-|\n{}\n", "|a".repeat(size / 2)))));
    texts.push((
        "a wide table",
        Box::new(|size| format!("{}\n{}\n{}", "|a".repeat(size / 6), "|-".repeat(size / 6), "|a\n".repeat(size / 9))),
    ));
    for language in ["rust", "html", "js", "yaml", "diff", "bash", "unknown"] {
        for unit in [
            "\"", "/*", "'a ", "#[", "${", "/[", "<a ", "<script>", "r#\"", "a: ", "(\n", "\\", "x", "&", "{-", "1e",
            "@a ",
        ] {
            texts.push((
                "code",
                Box::new(move |size| format!("```{language}\n{}\n```", unit.repeat(size / unit.len()))),
            ));
            texts.push((
                "code in lines",
                Box::new(move |size| {
                    format!("```{language}\n{}```", format!("{}\n", unit.repeat(200)).repeat(size / unit.len() / 200))
                }),
            ));
        }
    }
    texts
}

fn time(text: &str) -> Duration {
    let begin = Instant::now();
    assert!(render(text).len() < 200 * text.len() + 1_000);
    begin.elapsed()
}

/// Four times the text may take six times as long. Fast cases are not measured.
#[test]
fn row_64_d03_rendering_time_is_linear() {
    let slow = Duration::from_millis(if cfg!(debug_assertions) { 400 } else { 60 });
    for (name, text) in expensive_texts() {
        let large = text(200_000);
        let first = time(&large);
        if first < slow {
            continue;
        }
        let small = text(50_000);
        let quick = (0..3).map(|_| time(&small)).min().unwrap_or_default();
        let first = (0..2).map(|_| time(&large)).min().unwrap_or_default().min(first);
        assert!(
            first < quick * 6 + slow / 4,
            "{name:?} {:?}…: {quick:?} became {first:?}",
            &large[..large.floor_char_boundary(40)]
        );
    }
}

#[test]
fn row_64_an_update_costs_as_much_as_the_tail() {
    // 20,000 short updates in an answer of 300 KB and in a single paragraph; quadratic work would take minutes.
    let begin = Instant::now();
    let mut live = LiveText::default();
    for n in 0..20_000 {
        live.push(if n % 40 == 0 { "\n\nnew paragraph " } else { "word and more " });
        live.next_delta();
    }
    let mut code = LiveText::default();
    code.push("```rust\n");
    for n in 0..4_000 {
        code.push(if n % 8 == 0 { "\n" } else { "let x = 1; " });
        code.next_delta();
    }
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}
