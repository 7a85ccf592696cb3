//! Row 64, D03: the cost of rendering grows linearly with the text, whatever its content.

use std::time::Duration;

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

/// The time that this thread has spent on a processor. Unlike the time of a clock, it does not grow while other
/// processes run.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    let nanos = stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("its first number is the time"))
}

/// The processor time for rendering a text.
fn cost(text: &str) -> Duration {
    let begin = processor_time();
    assert!(render(text).len() < 200 * text.len() + 1_000);
    processor_time() - begin
}

/// Four times the text may cost six times as much. Cheap cases are not measured.
#[test]
fn row_64_d03_rendering_cost_is_linear() {
    let expensive = Duration::from_millis(if cfg!(debug_assertions) { 400 } else { 60 });
    for (name, text) in expensive_texts() {
        let large = text(200_000);
        let first = cost(&large);
        if first < expensive {
            continue;
        }
        let small = text(50_000);
        let of_small = (0..3).map(|_| cost(&small)).min().unwrap_or_default();
        let of_large = (0..2).map(|_| cost(&large)).min().unwrap_or_default().min(first);
        assert!(
            of_large < of_small * 6 + expensive / 4,
            "{name:?} {:?}…: {of_small:?} became {of_large:?}",
            &large[..large.floor_char_boundary(40)]
        );
    }
}

#[test]
fn row_64_an_update_costs_as_much_as_the_tail() {
    // Many short updates: the HTML that is rendered again is that of the open tail, however long the answer is.
    let mut live = LiveText::default();
    let (mut longest, mut done) = (0, 0);
    for n in 0..20_000 {
        live.push(if n % 40 == 0 { "\n\nnew paragraph " } else { "word and more " });
        let delta = live.next_delta().expect("there is more text");
        longest = longest.max(delta.done.len()).max(delta.tail.len());
        done += delta.done.len();
    }
    assert!(longest < 2_000, "at most one paragraph is rendered: {longest} bytes");
    assert!(done > 200_000 && done < 2 * live.text().len(), "each paragraph is finished once: {done} bytes");
}

/// The processor time for this many short updates of a code block.
fn cost_of_code(updates: usize) -> Duration {
    let begin = processor_time();
    let mut code = LiveText::default();
    code.push("```rust\n");
    for n in 0..updates {
        code.push(if n % 8 == 0 { "\n" } else { "let x = 1; " });
        code.next_delta().expect("there is more text");
    }
    assert!(code.text().len() > 9 * updates);
    processor_time() - begin
}

/// A code block is one tail. Each of its lines is highlighted once, and only its HTML is copied on each update. Four
/// times the updates may cost eight times as much; if all lines were highlighted again, it would be sixteen times.
#[test]
fn row_64_an_update_of_a_code_block_costs_as_much_as_its_last_line() {
    // The system counts the time in steps of several milliseconds.
    let tolerance = Duration::from_millis(100);
    let of_small = (0..3).map(|_| cost_of_code(500)).min().unwrap_or_default();
    let of_large = (0..3).map(|_| cost_of_code(2_000)).min().unwrap_or_default();
    assert!(of_large < of_small * 8 + tolerance, "{of_small:?} became {of_large:?}");
}
