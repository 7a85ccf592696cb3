//! Who may import whom: from a lower rank only. The ranks are told in the architecture text of `src/lib.rs`.

use std::{fs, path::Path};

/// The rank of a module by the beginning of its path below `src/`; the longest that fits counts.
const RANKS: &[(&str, u8)] = &[
    ("domain", 0),
    ("components", 1),
    ("server/allocator", 1),
    ("server/clock", 1),
    ("server/config", 1),
    ("server/cookies", 1),
    ("server/keys", 1),
    ("server/llm", 1),
    ("server/markdown", 1),
    ("server/store", 1),
    ("server/supervisor", 1),
    ("server/fault", 2),
    // Puts the models together from the configuration.
    ("server/llm/catalogue", 2),
    ("server/secrets", 2),
    ("server/telemetry", 2),
    ("server/audit", 3),
    ("server/jobs", 3),
    ("server/limits", 4),
    ("server/mail", 4),
    ("server/auth", 5),
    ("server/chat", 5),
    ("server/profile", 6),
    ("server/privacy", 7),
    ("server/people", 8),
    ("server/legal", 9),
    ("server/state", 9),
    ("server/cli", 10),
    ("server/http", 10),
    ("server_fns", 10),
    ("pages", 11),
    ("server/http/mod", 11),
    ("app", 12),
    ("lib", 13),
    ("main", 13),
    ("server/mod", 13),
];

fn rank(module: &str) -> Option<(&'static str, u8)> {
    let fits = |(prefix, _): &&(&str, u8)| {
        module.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    RANKS.iter().filter(fits).max_by_key(|(prefix, _)| prefix.len()).copied()
}

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a file imports by `crate::`, with groups taken apart one level deep.
fn imports(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        let rest = &source[at + "crate::".len()..];
        let statement = rest.split(';').next().unwrap_or_default();
        let Some(group) = statement.strip_prefix('{') else {
            found.extend(expand(statement));
            continue;
        };
        let mut depth = 0;
        for part in group.split_inclusive(['{', '}', ',']) {
            if depth == 0 && part.trim().len() > 1 {
                let from = group.find(part.trim_start()).unwrap_or_default();
                found.extend(expand(&group[from..]));
            }
            depth += part.matches('{').count() as i32 - part.matches('}').count() as i32;
        }
    }
    found
}

/// `server::{a, b::C}` is `server/a` and `server/b`; anything else is its own first two names.
fn expand(path: &str) -> Vec<String> {
    let names = |text: &str| -> Vec<String> {
        text.split("::").map(|n| n.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()).collect()
    };
    let Some(inner) = path.strip_prefix("server::{") else {
        let names = names(path);
        let short = if names[0] == "server" { names.iter().take(2).cloned().collect() } else { vec![names[0].clone()] };
        return vec![short.join("/")];
    };
    let (mut depth, mut parts, mut part) = (0, Vec::new(), String::new());
    for c in inner.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => parts.push(std::mem::take(&mut part)),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                part.push(c);
            }
        }
    }
    parts.push(part);
    parts.iter().map(|p| names(p.trim())[0].clone()).filter(|n| !n.is_empty()).map(|n| format!("server/{n}")).collect()
}

#[test]
fn l01_the_audit_is_only_added_to() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    let mut writers = Vec::new();
    for file in found {
        let source = fs::read_to_string(&file).expect("a source").to_lowercase();
        let words: Vec<&str> =
            source.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
        for words in words.windows(3) {
            let what = match words {
                ["insert", "into", "audit"] => "insert",
                ["delete", "from", "audit"] => "delete",
                ["update", "audit", "set"] => "update",
                _ => continue,
            };
            let module = file.strip_prefix(&root).expect("below src").display().to_string();
            writers.push(format!("{what} in {module}"));
        }
    }
    writers.sort();
    // What is too old is pruned, and what names somebody who is gone is blanked. Nothing else is ever changed.
    let allowed = [
        "delete in server/store/expiry.rs",
        "insert in server/store/audit.rs",
        "update in server/store/purge_slices.rs",
        "update in server/store/purge_slices.rs",
    ];
    assert_eq!(writers, allowed);
}

#[test]
fn modules_import_from_lower_ranks_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    assert!(found.len() > 50, "the sources are not where they were");
    let mut wrong = Vec::new();
    for file in found {
        let module = file.strip_prefix(&root).expect("below src").with_extension("").display().to_string();
        let (own, own_rank) = rank(&module).unwrap_or_else(|| panic!("{module} has no rank: give it one"));
        let source = fs::read_to_string(&file).expect("a source");
        for import in imports(&source) {
            let Some((theirs, their_rank)) = rank(&import) else { continue };
            if own != theirs && their_rank >= own_rank && own != "server/http/mod" {
                wrong.push(format!("{module} imports {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn imports_are_found() {
    let source = "use crate::{domain::{A, B}, server::{store::Store, auth::Caller}}; use crate::pages::X;";
    assert_eq!(imports(source), ["domain", "server/store", "server/auth", "pages"]);
}
