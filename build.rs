//! Builds the texts in anew when a file of them comes, changes, or goes.

fn main() {
    println!("cargo::rerun-if-changed=locales");
}
