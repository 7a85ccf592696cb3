//! The import rules of the source files: from a lower rank only, and without cycles. The crate documentation in
//! `src/lib.rs` describes the ranks.

mod cycles;
mod imports;
mod lexer;
mod store_views;

use std::{fs, path::Path};

use cycles::{find_cycle, graph};
use imports::{Files, Imports, module_of};

/// Folders of `src/` whose files must not import each other in a cycle, directly or indirectly. A folder's `mod.rs` is
/// a file too; an item that it only re-exports counts as an item of the file that defines it.
const WITHOUT_CYCLES: &[&str] = &["components", "domain", "i18n", "pages", "server", "server_fns"];

/// In these folders, a file may use what a parent `mod.rs` defines: a type whose methods are in several files.
const PARENTS_DEFINE: &[&str] = &["domain", "i18n", "server"];

/// The rank of a module by the prefix of its path below `src/`. The longest matching prefix counts.
const RANKS: &[(&str, u8)] = &[
    ("i18n", 0),
    ("domain", 1),
    ("components", 2),
    ("server/allocator", 2),
    ("server/clock", 2),
    ("server/config", 2),
    ("server/cookies", 2),
    ("server/egress", 2),
    ("server/keys", 2),
    ("server/markdown", 2),
    ("server/names", 2),
    ("server/site", 2),
    ("server/store", 2),
    ("server/supervisor", 2),
    ("server/fault", 3),
    ("server/llm", 3),
    ("server/secrets", 3),
    ("server/telemetry", 3),
    ("server/audit", 4),
    ("server/jobs", 4),
    ("server/limits", 5),
    ("server/mail", 5),
    ("server/auth", 6),
    ("server/chat", 6),
    ("server/profile", 7),
    ("server/privacy", 8),
    ("server/page_data", 9),
    ("server/people", 9),
    ("server/legal", 10),
    ("server/state", 10),
    ("server/access", 11),
    ("server/cli", 12),
    ("server/http", 12),
    ("server_fns", 12),
    ("pages", 13),
    ("app", 14),
    ("lib", 15),
    ("main", 15),
    ("server/mod", 15),
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

/// The source files, each with its path below `src/` without the extension.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    assert!(found.len() > 50, "the sources are not where they were");
    let read = |file: std::path::PathBuf| {
        let path = file.strip_prefix(&root).expect("below src").with_extension("").display().to_string();
        (path, fs::read_to_string(&file).expect("a source"))
    };
    found.into_iter().map(read).collect()
}

fn read_all(sources: &[(String, String)]) -> Files {
    let read = |(path, source): &(String, String)| {
        let module = module_of(path);
        (module.clone(), Imports::read(&module, source))
    };
    sources.iter().map(read).collect()
}

#[test]
fn l01_the_audit_log_is_append_only() {
    let mut writers = Vec::new();
    for (path, source) in sources() {
        let source = source.to_lowercase();
        let words: Vec<&str> =
            source.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
        for words in words.windows(3) {
            let what = match words {
                ["insert", "into", "audit"] => "insert",
                ["delete", "from", "audit"] => "delete",
                ["update", "audit", "set"] => "update",
                _ => continue,
            };
            writers.push(format!("{what} in {path}.rs"));
        }
    }
    writers.sort();
    // Expired entries are deleted, and entries that name a deleted account are blanked. Nothing else is changed.
    let allowed = [
        "delete in server/store/expiry.rs",
        "insert in server/store/audit.rs",
        "update in server/store/purge_batches.rs",
        "update in server/store/purge_batches.rs",
    ];
    assert_eq!(writers, allowed);
}

#[test]
fn modules_import_from_lower_ranks_only() {
    let mut wrong = Vec::new();
    for (path, source) in sources() {
        let (own, own_rank) = rank(&path).unwrap_or_else(|| panic!("{path} has no rank: give it one"));
        let module = module_of(&path);
        for names in Imports::read(&module, &source).named {
            let import = names.join("/");
            // A module may name its own items.
            let is_inside = names.starts_with(&module);
            let Some((theirs, their_rank)) = rank(&import).filter(|_| !is_inside) else { continue };
            if own != theirs && their_rank >= own_rank {
                wrong.push(format!("{path} imports {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_do_not_import_each_other_in_a_cycle() {
    let graph = graph(&read_all(&sources()), WITHOUT_CYCLES, PARENTS_DEFINE);
    assert!(graph.len() > 50, "the folders are not where they were");
    let cycle = find_cycle(&graph).map(|files| files.join("\n  imports from "));
    assert!(cycle.is_none(), "an import cycle:\n  {}", cycle.unwrap_or_default());
}

fn paths(module: &str, source: &str) -> Vec<String> {
    Imports::read(&module_of(module), source).named.iter().map(|names| names.join("/")).collect()
}

#[test]
fn imports_are_found() {
    let source =
        "use crate::{domain::{A, B}, server::{self, store::Store}}; use std::fmt; fn f() { crate::pages::x() }";
    let found = ["domain/A", "domain/B", "pages/x", "server", "server/store/Store"];
    assert_eq!(paths("server/auth/mod", source), found);
    let source = "mod row; pub(super) use row::Row as Line; use super::{list, query::*}; use external::Row;";
    let found = ["pages/sessions/list", "pages/sessions/page/row/Row", "pages/sessions/query/*"];
    assert_eq!(paths("pages/sessions/page", source), found);
    let source = "fn f() { super::open() } mod tests { use super::*; fn g() { super::super::other(); self::h() } }";
    assert_eq!(
        paths("server/store", source),
        ["server/open", "server/other", "server/store/*", "server/store/tests/h"]
    );
}

#[test]
fn import_cycles_are_found() {
    let of = |sources: &[(&str, &str)]| {
        let sources: Vec<_> = sources.iter().map(|(path, source)| ((*path).to_owned(), (*source).to_owned())).collect();
        let graph = graph(&read_all(&sources), &["pages"], &[]);
        find_cycle(&graph).map(|files| files.join(" "))
    };
    let list = ("pages/list", "use super::{Row, Page};");
    let row = ("pages/row", "pub struct Row;");
    let page = ("pages/page", "use crate::domain::Page as Content; pub struct Page;");
    let folder = ("pages/mod", "mod list; mod page; mod row; pub use page::*; pub use row::Row; pub use list::List;");
    assert_eq!(of(&[list, row, page, folder]), None);
    let row = ("pages/row", "pub struct Row(super::list::List);");
    assert_eq!(of(&[list, row, page, folder]).as_deref(), Some("pages/list pages/row pages/list"));
    let folder = ("pages/mod", "mod list; use list::List; pub struct Page;");
    assert_eq!(of(&[list, folder]).as_deref(), Some("pages pages/list pages"));
}
