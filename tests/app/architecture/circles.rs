//! Circles among the files of some folders.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Files, Names, file_of};

/// The files that each file of these folders of `src/` imports from, as far as they are in these folders too. Below
/// `parents_define`, what a file takes from a module that it lies in does not count.
pub fn graph(files: &Files, folders: &[&str], parents_define: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let is_below = |module: &Names, folders: &[&str]| {
        let path = module.join("/");
        folders
            .iter()
            .any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    let is_inside = |module: &Names| is_below(module, folders);
    let of = |(module, file): (&Names, &super::imports::Imports)| {
        let targets = file.named.iter().filter_map(|names| file_of(files, names));
        let is_parent = |target: &Names| is_below(module, parents_define) && module.starts_with(target);
        let targets = targets.filter(|target| target != module && is_inside(target) && !is_parent(target));
        let targets = targets.map(|target| target.join("/"));
        (module.join("/"), targets.collect())
    };
    files.iter().filter(|(module, _)| is_inside(module)).map(of).collect()
}

/// A circle, if there is one: each file imports from the next, and the last one is the first.
pub fn circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<&str>> {
    let mut done = BTreeSet::new();
    graph.keys().find_map(|file| visit(graph, file, &mut Vec::new(), &mut done))
}

fn visit<'a>(
    graph: &'a BTreeMap<String, BTreeSet<String>>,
    file: &'a str,
    way: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(begin) = way.iter().position(|before| *before == file) {
        return Some(way[begin..].iter().copied().chain([file]).collect());
    }
    if done.contains(file) {
        return None;
    }
    way.push(file);
    let found = graph.get(file).into_iter().flatten().find_map(|next| visit(graph, next, way, done));
    way.pop();
    done.insert(file);
    found
}
