//! Finds the uses of texts in the source files.

use std::{fs, path::Path};

/// A use of a text.
#[derive(Debug)]
pub struct Use {
    /// The key of the text, without a plural category.
    pub key: String,
    /// The file, below `src/`.
    pub file: String,
    /// The names of the given values or elements.
    pub values: Vec<String>,
    /// Whether elements are given.
    pub is_rich: bool,
    /// Whether the text is looked up elsewhere, where values may be added.
    pub is_looked_up_later: bool,
}

/// All uses in the source files, except the examples in `src/i18n`.
pub fn uses() -> Vec<Use> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    read(&root, &root, &mut found);
    found
}

fn read(folder: &Path, root: &Path, found: &mut Vec<Use>) {
    for entry in fs::read_dir(folder).expect("a folder of the sources").flatten().map(|entry| entry.path()) {
        if entry.is_dir() {
            read(&entry, root, found);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let file = entry.strip_prefix(root).expect("below src").display().to_string();
            if !file.starts_with("i18n/") || file == "i18n/languages.rs" {
                uses_in(&fs::read_to_string(&entry).expect("a source"), &file, found);
            }
        }
    }
}

fn uses_in(source: &str, file: &str, found: &mut Vec<Use>) {
    for name in ["t!(", "rich!(", "key!(", "reason!("] {
        for (at, _) in source.match_indices(name) {
            let before = &source[..at];
            let line = before.rsplit('\n').next().unwrap_or_default().trim_start();
            let is_other_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if is_other_word || line.starts_with("//") {
                continue;
            }
            let inside = between_parentheses(&source[at + name.len()..]);
            let Some((_, rest)) = inside.split_once('"') else { continue };
            let Some((literal, rest)) = rest.split_once('"') else { continue };
            // The prefix of computed keys, such as error codes, which `reason!` names in full.
            if literal.ends_with('.') {
                continue;
            }
            let key = if name == "reason!(" { format!("error.{literal}") } else { literal.to_owned() };
            found.push(Use {
                key,
                file: file.to_owned(),
                values: value_names(rest),
                is_rich: name == "rich!(",
                is_looked_up_later: name == "key!(",
            });
        }
    }
}

/// The characters of a text with their positions, and whether each is code instead of part of a string.
fn code(text: &str) -> impl Iterator<Item = (usize, char, bool)> {
    let (mut in_string, mut escaped) = (false, false);
    text.char_indices().map(move |(at, c)| {
        let was_in_string = in_string;
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
        (at, c, !was_in_string && c != '"')
    })
}

/// The text up to the parenthesis that closes it.
fn between_parentheses(text: &str) -> &str {
    let mut depth = 1;
    for (at, c, is_code) in code(text) {
        match c {
            '(' | '[' | '{' if is_code => depth += 1,
            ')' | ']' | '}' if is_code => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// The names in `, name = value, other = value`.
fn value_names(text: &str) -> Vec<String> {
    let (mut names, mut depth) = (Vec::new(), 0);
    for (at, c, is_code) in code(text) {
        match c {
            '(' | '[' | '{' if is_code => depth += 1,
            ')' | ']' | '}' if is_code => depth -= 1,
            ',' if is_code && depth == 0 => {
                let rest = text[at + 1..].trim_start();
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                if rest[end..].trim_start().starts_with('=') && !rest[end..].trim_start().starts_with("==") {
                    names.push(rest[..end].to_owned());
                }
            }
            _ => {}
        }
    }
    names
}
