//! The words of the interface: the texts that people read use the terms of docs/glossary.md and plain English.

use std::{fs, path::Path};

/// Words that the texts do not use, and what they say instead.
const ENGLISH: &[(&str, &str)] = &[
    ("e-mail", "email"),
    ("somebody", "someone"),
    ("anybody", "anyone"),
    ("everybody", "everyone"),
    ("whoever", "the person who"),
    ("installation", "this server"),
    ("at once", "immediately, or at the same time"),
    ("go on", "continue"),
    ("goes on", "continues"),
    ("second factor", "two-step verification"),
    ("holds until", "expires"),
    ("holds for", "is valid for"),
    ("make an account", "create an account"),
    ("make the account", "create account"),
    ("taken back", "revoked"),
    ("answerable", "responsible"),
    ("written down", "logged"),
    ("anew", "again"),
    ("you need not", "you don't have to"),
];
const GERMAN: &[(&str, &str)] = &[
    ("installation", "dieser Server"),
    ("zweiter faktor", "Bestätigung in zwei Schritten"),
    ("konto machen", "Konto erstellen"),
    ("aufs neue", "noch einmal"),
];
/// Also in the documentation and the changelog, whose readers run the program and know its terms.
const EVERYWHERE: &[(&str, &str)] = &[
    ("e-mail", "email"),
    ("whoever", "the person who"),
    ("make an account", "create an account"),
    ("holds until", "expires"),
    ("answerable", "responsible"),
];

/// The lines of a Markdown text outside of blocks of code, without code in a line.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push((number + 1, line.split('`').step_by(2).collect::<String>()));
        }
    }
    lines
}

/// Whether the word is in the text and does not go on in another word.
fn contains_word(text: &str, word: &str) -> bool {
    text.to_lowercase().match_indices(word).any(|(at, found)| {
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        let lower = text.to_lowercase();
        !is_letter(lower[..at].chars().next_back()) && !is_letter(lower[at + found.len()..].chars().next())
    })
}

fn check(path: &Path, text: &str, words: &[(&str, &str)], problems: &mut Vec<String>) {
    for (line, prose) in prose(text) {
        for (word, better) in words.iter().filter(|(word, _)| contains_word(&prose, word)) {
            problems.push(format!("{}:{line}: \"{word}\"; say: {better}", path.display()));
        }
    }
}

#[test]
fn texts_use_the_words_of_the_glossary() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = |folder: &str| fs::read_dir(root.join(folder)).expect("a folder").flatten().map(|entry| entry.path());
    let read = |path: &Path| fs::read_to_string(path).expect("a text");
    let (mut problems, mut count) = (Vec::new(), 0);
    for (language, words) in [("en-GB", ENGLISH), ("en-US", ENGLISH), ("de", GERMAN)] {
        for path in files(&format!("locales/{language}")) {
            count += 1;
            check(&path, &read(&path), words, &mut problems);
        }
    }
    let docs = files("docs").filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    for path in docs.chain(["README.md", "CHANGELOG.md"].map(|name| root.join(name))) {
        count += 1;
        check(&path, &read(&path), EVERYWHERE, &mut problems);
    }
    assert!(count > 30, "the texts were moved: {count}");
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn words_are_found_outside_of_code_only() {
    let found = |text: &str| {
        let mut problems = Vec::new();
        check(Path::new("a"), text, &[("go on", "continue")], &mut problems);
        problems.len()
    };
    assert_eq!(found("To Go on, press\nnothing"), 1);
    assert_eq!(found("`go on`\n```\ngo on\n```\nlet it go onwards, ago on"), 0);
}
