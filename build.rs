//! Rebuilds the embedded texts when a locale file is added, changed or removed.

fn main() {
    println!("cargo::rerun-if-changed=locales");
}
