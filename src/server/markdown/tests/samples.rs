//! Rendering of ordinary constructs, and byte-exact code.

use super::{
    super::{render, render_page},
    descendants, in_english, name_of, parse, text_of,
};

fn code_of(html: &str) -> String {
    let tree = parse(html);
    let block = descendants(&tree.document)
        .into_iter()
        .find(|node| name_of(node).as_deref() == Some("pre"))
        .expect("a block of code");
    let code = descendants(&block).into_iter().find(|node| name_of(node).as_deref() == Some("code")).expect("its code");
    text_of(&code)
}

#[test]
fn ordinary_constructs() {
    insta::assert_snapshot!(in_english(&render(
        "# One\n### Three\n\nA *b* **c** ~~d~~ `e` [f](https://a.example \"t\") <https://b.example> https://c.example.\n\n- [ ] g\n- [x] h\n\n3. i\n4. j\n\n| k | l | m |\n|:--|:-:|--:|\n| 1 | 2 | 3 |\n\n> [!NOTE]\n> n[^1]\n\n[^1]: o\n\n---\n\n```rust\nlet p = \"q\";\n```\n\n$r$ and \\[s\\] cost $5 or $6\n\n$$t$$\n"
    )));
}

#[test]
fn the_first_heading_has_the_top_level() {
    let headings = |html: &str| html.split("<h").skip(1).map(|rest| &rest[..1]).collect::<String>();
    assert_eq!(headings(&render("# a\n## b\n\ntext\n\n## c\n#### d\n# e")), "34453");
    assert_eq!(headings(&render("### a\n\n\\[x\\]\n\n#### b\n> ### c\n")), "343");
    assert_eq!(headings(&render_page("## a\n### b\n## c")), "232");
}

#[test]
fn code_of_more_than_30_lines_can_be_folded() {
    let block = |lines: usize| in_english(&render(&format!("```\n{}```\n", "x\n".repeat(lines))));
    assert!(!block(30).contains("<details"));
    let long = block(400);
    assert!(long.contains("<details class=\"code-fold\"><summary><span>Show all 400 lines</span>"), "{long}");
    assert_eq!(code_of(&long), "x\n".repeat(400));
}

#[test]
fn c10_code_is_preserved_byte_for_byte() {
    for code in [
        "a\n",
        "\n\n  a\t\n\n",
        "<b>&amp;\"'</b>\n",
        "é漢👩‍👩‍👧\n",
        "x\u{202E}y\u{200B}z\u{FEFF}\n",
        "\\(a\\) $b$ **c** [d](e)\n",
        "0\u{1}1\u{7f}\n",
        "trailing  \n",
        "https://a.example\n",
    ] {
        for language in ["", "rust", "python", "html", "yaml", "unknown"] {
            assert_eq!(code_of(&render(&format!("```{language}\n{code}```\n"))), code, "{language}");
            let indented: String = code.split_inclusive('\n').map(|line| format!("  {line}")).collect();
            assert_eq!(code_of(&render(&format!("- a\n\n  ~~~{language}\n{indented}  ~~~\n"))), code, "{language}");
        }
    }
}

#[test]
fn only_the_language_of_an_info_string_becomes_a_class() {
    for (info, class) in [
        ("rust", "language-rust"),
        ("C++", "language-c"),
        ("js title=\"x\"", "language-js"),
        ("rust,ignore", "language-rust"),
        ("{.python .numberLines}", ""),
        ("\"><b>", "language-b"),
        ("é", ""),
    ] {
        let html = render(&format!("```{info}\nx\n```"));
        let classes = html.split("<code").nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default();
        assert_eq!(
            classes.trim(),
            if class.is_empty() { String::new() } else { format!("class=\"{class}\"") },
            "{info}"
        );
    }
}

#[test]
fn link_definitions_work_across_formulas() {
    let html = render("[a] and [B c]\n\n\\[x\\]\n\n[a]: https://a.example\n[b  C]: https://b.example\n");
    assert!(html.contains("href=\"https://a.example\"") && html.contains("href=\"https://b.example\""), "{html}");
}

#[test]
fn prices_are_not_formulas() {
    for text in ["It costs $5 or $10.", "Between $5-$10", "US$5 and US$6", "$100/$200"] {
        assert!(!render(text).contains("<math"), "{text}");
    }
    assert!(render("$x$.").contains("<math>"));
}

#[test]
fn text_cannot_refer_to_labels() {
    let labels = render("- [x] a");
    let reference = labels.split('"').find(|part| part.starts_with("&t")).expect("the label of a task");
    let text =
        format!("{reference} `{reference}` ![{reference}](https://a.example) [a](https://a.example?x={reference})");
    assert!(in_english(&labels).contains("\"Done\""));
    assert!(!in_english(&render(&text)).contains("Done"));
    assert!(!in_english(&render(&format!("$\\text{{{reference}}}$"))).contains("Done"));
}

#[test]
fn wide_tables_are_truncated() {
    let row = "| a [x](https://a.example) ".repeat(300);
    let html = render(&format!("{row}|\n{}|\n{row}|\n", "|-".repeat(300)));
    assert_eq!(html.matches("<th").count() - html.matches("<thead").count(), 100);
    assert_eq!(html.matches("<td").count(), 100);
    assert_eq!(html.matches("<a ").count(), html.matches("</a>").count());
}
