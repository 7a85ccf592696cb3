//! The built files that pages load: their names, which contain a hash of the content, and the files of each bundle.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
    sync::Arc,
};

use leptos::config::LeptosOptions;

/// When a page loads its scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScriptStart {
    /// With the page.
    Immediate,
    /// At the first interaction. For visitors who are not signed in: their pages are short forms that work without
    /// scripts, and most of the bytes are for what comes after signing in.
    OnInteraction,
}

/// In the context of the page for unknown URLs.
#[derive(Debug, Clone, Copy)]
pub struct UnknownUrl;

/// The names of the built files. Read once at start; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Site(Arc<Names>);

#[derive(Debug, Default)]
struct Names {
    /// The URL path of the folder, without a slash at its end.
    folder: String,
    stylesheet: String,
    script: String,
    wasm: String,
    loader: String,
    bundles: BTreeMap<String, Vec<String>>,
    is_complete: bool,
}

impl Site {
    /// Reads the hashes next to the executable and the manifest of the bundles. A site that is not built has no bundles and is
    /// not complete.
    pub fn read(options: &LeptosOptions) -> Self {
        let hashes = if options.hash_files { read_hashes(&options.hash_file) } else { HashMap::new() };
        let folder = Path::new(&*options.site_root).join(&*options.site_pkg_dir);
        let output = &*options.output_name;
        let name = |kind: &str| match hashes.get(kind) {
            Some(hash) => format!("{output}.{hash}.{kind}"),
            // Without hashes, wasm-bindgen's own name may be kept.
            None if kind == "wasm" && !folder.join(format!("{output}.wasm")).is_file() => format!("{output}_bg.wasm"),
            None => format!("{output}.{kind}"),
        };
        let split = |kind: &str, stem: &str, fallback: &str| match hashes.get(kind) {
            Some(hash) => format!("{stem}.{hash}"),
            None => fallback.to_owned(),
        };
        let manifest = split("manifest", "__wasm_split_manifest", "__wasm_split_manifest");
        let manifest = fs::read(folder.join(format!("{manifest}.json"))).unwrap_or_default();
        let loader = split("split", "__wasm_split", "__wasm_split.______________________");
        let names = Names {
            folder: format!("/{}", options.site_pkg_dir.trim_matches('/')),
            stylesheet: name("css"),
            script: name("js"),
            wasm: name("wasm"),
            loader: format!("{loader}.js"),
            bundles: serde_json::from_slice(&manifest).unwrap_or_default(),
            is_complete: ["css", "js", "wasm"].into_iter().all(|kind| folder.join(name(kind)).is_file()),
        };
        Self(Arc::new(names))
    }

    /// Whether the scripts and styles that the pages load exist.
    pub fn is_complete(&self) -> bool {
        self.0.is_complete
    }

    /// The path of the style sheet.
    pub fn stylesheet(&self) -> String {
        self.path(&self.0.stylesheet)
    }

    /// The path of the script that starts the browser's part.
    pub fn script(&self) -> String {
        self.path(&self.0.script)
    }

    /// The path of the WASM that all pages share.
    pub fn wasm(&self) -> String {
        self.path(&self.0.wasm)
    }

    /// The path of the script that loads bundles.
    pub fn loader(&self) -> String {
        self.path(&self.0.loader)
    }

    /// The paths of the WASM files of a bundle.
    pub fn bundle(&self, name: &str) -> impl Iterator<Item = String> {
        let files = self.0.bundles.get(name).into_iter().flatten();
        files.map(|file| self.path(&format!("{file}.wasm")))
    }

    fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.0.folder)
    }
}

/// The hashes by the kind of file. `cargo leptos` writes a line `kind: hash` for each.
fn read_hashes(file: &str) -> HashMap<String, String> {
    let path = std::env::current_exe().map(|program| program.with_file_name(file));
    let text = path.and_then(fs::read_to_string).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(kind, hash)| (kind.trim().to_owned(), hash.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(root: &Path) -> LeptosOptions {
        LeptosOptions::builder().output_name("colloquy").site_root(root.to_string_lossy().into_owned()).build()
    }

    #[test]
    fn a_site_that_is_not_built_is_not_complete() {
        let folder = tempfile::tempdir().expect("a folder");
        let site = Site::read(&options(folder.path()));
        assert!(!site.is_complete());
        assert_eq!(site.bundle("chat").count(), 0);
    }

    #[test]
    fn files_are_named_as_they_were_built() {
        let folder = tempfile::tempdir().expect("a folder");
        let pkg = folder.path().join("pkg");
        fs::create_dir(&pkg).expect("a folder");
        for file in ["colloquy.css", "colloquy.js", "colloquy.wasm"] {
            fs::write(pkg.join(file), "").expect("a file");
        }
        let manifest = r#"{"chat": ["chunk_1", "split_chat"], "auth": ["split_auth"]}"#;
        fs::write(pkg.join("__wasm_split_manifest.json"), manifest).expect("a file");
        let site = Site::read(&options(folder.path()));
        assert!(site.is_complete());
        assert_eq!(
            [site.stylesheet(), site.script(), site.wasm()],
            ["/pkg/colloquy.css", "/pkg/colloquy.js", "/pkg/colloquy.wasm"]
        );
        assert_eq!(site.bundle("chat").collect::<Vec<_>>(), ["/pkg/chunk_1.wasm", "/pkg/split_chat.wasm"]);
    }
}
