//! The ids in the names of tests, and `docs/promises.md`, which explains them.

use std::{collections::BTreeSet, fs, path::Path};

/// The id in a test's name: `S04` of `s04_…`, `22` of `row_22_…`.
fn id_of(name: &str) -> Option<String> {
    if let Some(rest) = name.strip_prefix("row_") {
        let (number, _) = rest.split_once('_')?;
        return number.parse::<u32>().ok().map(|number| number.to_string());
    }
    let (id, _) = name.split_once('_')?;
    let (letter, number) = id.split_at_checked(1)?;
    let is_id = number.len() == 2
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && letter.bytes().all(|byte| byte.is_ascii_lowercase());
    is_id.then(|| id.to_ascii_uppercase())
}

fn ids_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of the sources").flatten().map(|entry| entry.path()) {
        if entry.is_dir() {
            ids_in(&entry, found);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let source = fs::read_to_string(&entry).expect("a source");
            let names = source.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
            found.extend(names.filter_map(id_of));
        }
    }
}

#[test]
fn the_ids_in_test_names_are_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used = BTreeSet::new();
    ids_in(&root.join("src"), &mut used);
    ids_in(&root.join("tests"), &mut used);
    assert!(used.len() > 100 && used.contains("S04") && used.contains("62"), "the tests are not named as they were");
    let page = fs::read_to_string(root.join("docs/promises.md")).expect("the page");
    let listed: BTreeSet<String> = page
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| ")?.split_once(" |")?.0.to_owned()))
        .filter(|cell| cell.bytes().any(|byte| byte.is_ascii_digit()))
        .collect();
    let missing: Vec<_> = used.difference(&listed).collect();
    let unused: Vec<_> = listed.difference(&used).collect();
    assert!(missing.is_empty() && unused.is_empty(), "not explained: {missing:?}; shown by no test: {unused:?}");
}
