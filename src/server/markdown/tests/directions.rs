//! The directions of blocks.

use super::{super::render, incremental::stream_in_chunks};

/// The elements of a text that have a direction of their own, each with it.
fn directions(text: &str) -> Vec<String> {
    let html = render(text);
    for size in [1, 3, 1_000] {
        let (done, tail) = stream_in_chunks(text, size);
        assert_eq!(done + &tail, html, "{text}");
    }
    let elements = html.split('<').filter(|element| !element.starts_with("pre") && !element.starts_with("code"));
    let directed = elements.filter_map(|element| element.split_once(" dir=\"").map(|(name, rest)| (name, &rest[..3])));
    directed.filter(|(_, value)| *value != "aut").map(|(name, value)| format!("{name} {value}")).collect()
}

#[test]
fn a_block_has_the_direction_of_its_first_letter() {
    for (text, found) in [
        ("- one\n- שתיים\n", &["ul ltr"][..]),
        ("- שלום\n- two\n", &["ul rtl"]),
        ("3. **مرحبا** Rust\n", &["ol rtl"]),
        ("> اقتباس\n", &["blockquote rtl"]),
        ("> [!NOTE]\n> ملاحظة\n", &["blockquote rtl"]),
        ("| א | b |\n|---|---|\n| c | d |\n", &["table rtl"]),
        ("> - שלום\n>   - two\n>     - שלוש\n", &["blockquote rtl", "ul rtl", "ul ltr", "ul rtl"]),
        ("- one\n\n- שתיים\n\nאחר\n\n- שלוש\n", &["ul ltr", "ul rtl"]),
    ] {
        assert_eq!(directions(text), found, "{text}");
    }
}

#[test]
fn code_and_formulas_have_no_say() {
    for text in ["- `let` ערך\n", "- $x$ ערך\n", "- 1. (2) ערך\n", "- ```rust\n  let x\n  ```\n- ערך\n"] {
        assert_eq!(directions(text)[0], "ul rtl", "{text}");
    }
}

#[test]
fn a_block_without_letters_has_the_direction_of_the_text_before_it() {
    assert_eq!(directions("| 1 |\n|---|\n| 2 |\n\nעברית\n"), ["table ltr"]);
    assert_eq!(directions("עברית\n\n| 1 |\n|---|\n| 2 |\n"), ["table rtl"]);
    assert_eq!(directions("- עברית\n  - 1\n  - 2\n"), ["ul rtl", "ul rtl"]);
    assert_eq!(directions("עברית\n\n- 1\n\nEnglish\n\n- 2\n"), ["ul rtl", "ul ltr"]);
}

#[test]
fn a_growing_list_in_a_text_from_the_right_never_turns() {
    let text = "מבוא:\n\n- **אחת**\n- two\n- 3\n\n> 4\n\n| 5 |\n|---|\n| שש |\n";
    for (at, _) in text.char_indices() {
        let (done, tail) = stream_in_chunks(&text[..at], 1);
        assert!(!(done + &tail).contains("dir=\"ltr\""), "{}", &text[..at]);
    }
}
