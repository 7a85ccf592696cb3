//! The Leptos options: where the scripts and styles of the pages are.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use leptos::config::{LeptosOptions, errors::LeptosConfigError, get_config_from_file, get_config_from_str};

/// Used when the program runs in its source folder; `cargo leptos` reads the same options from `Cargo.toml`.
const FILE: &str = "Leptos.toml";
const BUILT_IN: &str = include_str!("../../../Leptos.toml");

/// The options of the running server: `Leptos.toml` in the working directory, otherwise the built-in copy; then the
/// variables `LEPTOS_*`. If the site folder does not exist, it is searched next to the executable.
///
/// # Errors
/// The file or a variable is malformed.
pub fn leptos_options(listen: SocketAddr) -> Result<LeptosOptions, LeptosConfigError> {
    let mut options = if Path::new(FILE).is_file() {
        get_config_from_file(FILE)?.leptos_options
    } else {
        get_config_from_str(BUILT_IN)?
    };
    options.site_addr = listen;
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    if let Some(root) = site_root(Path::new(&*options.site_root), beside.as_deref()) {
        options.site_root = root.to_string_lossy().into();
    }
    // Leptos reads the hash file next to the executable and panics if it is missing.
    let hashes = beside.map(|folder| folder.join(&*options.hash_file));
    options.hash_files &= hashes.is_some_and(|file| file.is_file());
    Ok(options)
}

fn site_root(named: &Path, beside: Option<&Path>) -> Option<PathBuf> {
    let beside = beside.map(|folder| [folder.join("site"), folder.join("../site")]).into_iter().flatten();
    std::iter::once(named.to_owned()).chain(beside).chain([PathBuf::from("target/site")]).find(|root| root.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_say_the_same() {
        let section = |text: &str| text.parse::<toml::Table>().expect("TOML")["package"]["metadata"]["leptos"].clone();
        assert_eq!(section(include_str!("../../../Cargo.toml")), section(BUILT_IN));
    }

    #[test]
    fn the_site_is_found_beside_the_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for name in ["bin", "site", "named"] {
            std::fs::create_dir(root.join(name)).expect("our folder");
        }
        let beside = Some(root.join("bin"));
        assert_eq!(site_root(&root.join("named"), beside.as_deref()), Some(root.join("named")));
        assert_eq!(site_root(&root.join("gone"), beside.as_deref()), Some(root.join("bin/../site")));
        std::fs::create_dir(root.join("bin/site")).expect("our folder");
        assert_eq!(site_root(&root.join("gone"), beside.as_deref()), Some(root.join("bin/site")));
    }
}
