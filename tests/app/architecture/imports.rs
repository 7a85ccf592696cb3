//! The modules that a file names, by `crate::`, `self::`, `super::` or the name of a child module.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::tokens;

/// The path from the crate root to a module or an item; its last name is `*` for a glob.
pub type Names = Vec<String>;

/// The imports, re-exports and definitions of a file.
#[derive(Debug, Default)]
pub struct Imports {
    /// All paths that it names.
    pub named: BTreeSet<Names>,
    /// Its re-exports by `pub use`: the exported name and the path.
    reexports: Vec<(String, Names)>,
    /// The names of the items that it defines.
    defined: BTreeSet<String>,
}

/// All files by module.
pub type Files = BTreeMap<Names, Imports>;

/// The module of a file, from its path below `src/` without the extension.
pub fn module_of(path: &str) -> Names {
    let mut names: Names = path.split('/').map(str::to_owned).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib")) {
        names.pop();
    }
    names
}

impl Imports {
    /// Parses the source file of a module.
    pub fn read(module: &[String], source: &str) -> Self {
        let tokens = tokens(source);
        let word = |at: usize| tokens.get(at).map_or("", String::as_str);
        let children: BTreeSet<&str> =
            (0..tokens.len()).filter(|&at| word(at) == "mod" && word(at + 2) == ";").map(|at| word(at + 1)).collect();
        let is_path = |at: usize| {
            let is_ours = matches!(word(at), "crate" | "self" | "super") || children.contains(word(at));
            is_ours && word(at + 1) == "::" && (at == 0 || word(at - 1) != "::")
        };
        let mut read = Self::default();
        // The inline modules around the current token; `None` for other braces.
        let mut scopes: Vec<Option<&str>> = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let here = || module.iter().cloned().chain(scopes.iter().flatten().map(|&name| name.to_owned())).collect();
            match word(at) {
                "{" => scopes.push((at > 1 && word(at - 2) == "mod").then(|| word(at - 1))),
                "}" => {
                    scopes.pop();
                }
                "use" => {
                    let end = (at..tokens.len()).find(|&at| word(at) == ";").unwrap_or(tokens.len());
                    let is_public = at > 0 && (word(at - 1) == "pub" || word(at - 1) == ")");
                    for (path, alias) in use_tree(&tokens[at + 1..end], &[]) {
                        let Some(names) = resolve(here(), &path, |name| scopes.is_empty() && children.contains(name))
                        else {
                            continue;
                        };
                        if is_public && scopes.is_empty() {
                            let last = names.last().cloned().unwrap_or_default();
                            read.reexports.push((alias.unwrap_or(last), names.clone()));
                        }
                        read.named.insert(names);
                    }
                    at = end;
                }
                "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" => {
                    read.defined.insert(word(at + 1).to_owned());
                }
                first if is_path(at) => {
                    let path = path_at(&tokens, at);
                    // Child modules are resolved from the file, also inside functions and inline modules.
                    let around = if children.contains(first) { module.to_vec() } else { here() };
                    read.named.extend(resolve(around, &path, |name| children.contains(name)));
                    at += 2 * (path.len() - 1);
                }
                _ => {}
            }
            at += 1;
        }
        read
    }
}

/// The path of names that begins at this token.
fn path_at(tokens: &[String], begin: usize) -> Names {
    let is_name = |token: &String| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let more = tokens[begin + 1..].chunks(2).take_while(|pair| pair[0] == "::" && pair.get(1).is_some_and(is_name));
    tokens[begin..=begin].iter().chain(more.map(|pair| &pair[1])).cloned().collect()
}

/// Expands a use tree: `a::{b, c::D as E}` is `a::b` and `a::c::D`, each with its alias if it has one.
fn use_tree(tokens: &[String], before: &[String]) -> Vec<(Names, Option<String>)> {
    let (mut found, mut path, mut alias, mut at) = (Vec::new(), before.to_vec(), None, 0);
    let mut is_group = false;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => {
                let end = group_end(tokens, at);
                found.extend(use_tree(&tokens[at + 1..end], &path));
                is_group = true;
                at = end;
            }
            "," => {
                found.extend((!is_group && path.len() > before.len()).then(|| (path, alias.take())));
                (path, is_group) = (before.to_vec(), false);
            }
            "as" => {
                alias = tokens.get(at + 1).cloned();
                at += 1;
            }
            "::" => {}
            // `a::{self}` is `a`.
            "self" if !path.is_empty() => found.push((path.clone(), None)),
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    found.extend((!is_group && path.len() > before.len()).then_some((path, alias)));
    found
}

fn group_end(tokens: &[String], begin: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(begin) {
        depth += i32::from(token == "{") - i32::from(token == "}");
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// The path from the crate root. `None` for paths of other crates, and for `super` alone.
fn resolve(mut here: Names, path: &[String], is_child: impl Fn(&str) -> bool) -> Option<Names> {
    let first = path.first()?;
    let rest = match first.as_str() {
        "crate" => {
            here.clear();
            &path[1..]
        }
        "self" => &path[1..],
        "super" => {
            let ups = path.iter().take_while(|name| *name == "super").count();
            here.truncate(here.len().saturating_sub(ups));
            &path[ups..]
        }
        child if is_child(child) => path,
        _ => return None,
    };
    here.extend(rest.iter().cloned());
    (!rest.is_empty()).then_some(here)
}

/// The file of a path, with re-exports resolved to the file that defines the item.
pub fn defining_file(files: &Files, names: &[String]) -> Option<Names> {
    let length = (0..=names.len()).rev().find(|&length| files.contains_key(&names[..length]))?;
    let (module, rest) = names.split_at(length);
    match rest.first() {
        Some(name) if name != "*" => find(files, module, name, 8).or_else(|| Some(module.to_vec())),
        _ => Some(module.to_vec()),
    }
}

/// The module that defines a name. `steps` limits the re-exports to follow, in case of a cycle.
fn find(files: &Files, module: &[String], name: &str, steps: u8) -> Option<Names> {
    let file = files.get(module)?;
    if steps == 0 || file.defined.contains(name) {
        return Some(module.to_vec());
    }
    let reexports = file.reexports.iter().find(|(exported, _)| exported == name);
    if let Some((_, names)) = reexports {
        let length = (0..=names.len()).rev().find(|&length| files.contains_key(&names[..length]))?;
        let (module, rest) = names.split_at(length);
        return match rest.first() {
            Some(name) => find(files, module, name, steps - 1),
            None => Some(module.to_vec()),
        };
    }
    let all = file.reexports.iter().filter(|(exported, _)| exported == "*");
    all.filter_map(|(_, names)| find(files, &names[..names.len() - 1], name, steps - 1)).next()
}
