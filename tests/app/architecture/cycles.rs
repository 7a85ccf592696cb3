//! Import cycles among the files of some folders.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Files, Names, defining_file};

/// The import graph of the files in these folders of `src/`. Imports from other folders are left out. Below
/// `parents_define`, imports from a parent module are left out too.
pub fn graph(files: &Files, folders: &[&str], parents_define: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let is_below = |module: &Names, folders: &[&str]| {
        let path = module.join("/");
        folders
            .iter()
            .any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    let is_inside = |module: &Names| is_below(module, folders);
    let of = |(module, file): (&Names, &super::imports::Imports)| {
        let targets = file.named.iter().filter_map(|names| defining_file(files, names));
        let is_parent = |target: &Names| is_below(module, parents_define) && module.starts_with(target);
        let targets = targets.filter(|target| target != module && is_inside(target) && !is_parent(target));
        let targets = targets.map(|target| target.join("/"));
        (module.join("/"), targets.collect())
    };
    files.iter().filter(|(module, _)| is_inside(module)).map(of).collect()
}

/// A cycle, if there is one: each file imports from the next, and the last file is the first one again.
pub fn find_cycle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<&str>> {
    let mut done = BTreeSet::new();
    graph.keys().find_map(|file| visit(graph, file, &mut Vec::new(), &mut done))
}

fn visit<'a>(
    graph: &'a BTreeMap<String, BTreeSet<String>>,
    file: &'a str,
    path: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(begin) = path.iter().position(|before| *before == file) {
        return Some(path[begin..].iter().copied().chain([file]).collect());
    }
    if done.contains(file) {
        return None;
    }
    path.push(file);
    let found = graph.get(file).into_iter().flatten().find_map(|next| visit(graph, next, path, done));
    path.pop();
    done.insert(file);
    found
}
