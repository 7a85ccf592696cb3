//! The folder of model files on this machine.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use super::{
    super::is_valid_model_name,
    gguf::{FileKind, Header},
};

/// A file in the folder that may be a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// The file name without `.gguf`.
    pub stem: String,
    /// The path of the file.
    pub path: PathBuf,
    /// The type of the file.
    pub kind: FileKind,
    /// The context length in tokens that the model was trained for, if it is known.
    pub trained_context: Option<u32>,
}

/// The folder, with a cache of the inspected files.
#[derive(Debug)]
pub struct ModelFolder {
    path: PathBuf,
    cache: Mutex<HashMap<PathBuf, Inspected>>,
}

/// Length and modification time of all files of a model. The files are unchanged as long as these are.
type Fingerprint = Vec<(u64, Option<SystemTime>)>;

/// The content of a model's files.
#[derive(Debug, Clone)]
struct Inspected {
    fingerprint: Fingerprint,
    kind: FileKind,
    trained_context: Option<u32>,
}

impl ModelFolder {
    /// Does no I/O yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), cache: Mutex::default() }
    }

    /// The model files. Empty if the folder does not exist. A model in several files (`…-00001-of-00003.gguf`) is
    /// represented by the first one; the library finds the others. Headers are read once per version of a file, and
    /// unusable files are logged then.
    pub async fn files(self: Arc<Self>) -> Vec<ModelFile> {
        tokio::task::spawn_blocking(move || self.scan()).await.unwrap_or_default()
    }

    fn scan(&self) -> Vec<ModelFile> {
        let Ok(entries) = fs::read_dir(&self.path) else { return Vec::new() };
        let mut cache = HashMap::new();
        let mut files = Vec::new();
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".gguf"));
            let stem = stem.filter(|stem| is_valid_model_name(stem) && !is_later_part(stem));
            if let Some(stem) = stem
                && fs::metadata(entry.path()).is_ok_and(|meta| meta.is_file())
            {
                let (path, parts) = (entry.path(), part_paths(&entry.path(), stem));
                let inspected = self.inspect(&path, &parts);
                cache.insert(path.clone(), inspected.clone());
                let Inspected { kind, trained_context, .. } = inspected;
                files.push(ModelFile { stem: stem.to_owned(), path, kind, trained_context });
            }
        }
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = cache;
        files
    }

    fn inspect(&self, file: &Path, parts: &[PathBuf]) -> Inspected {
        let fingerprint: io::Result<Fingerprint> =
            parts.iter().map(|part| fs::metadata(part).map(|meta| (meta.len(), meta.modified().ok()))).collect();
        let fingerprint = fingerprint.unwrap_or_default();
        let before = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned();
        if let Some(before) = before.filter(|before| before.fingerprint == fingerprint) {
            return before;
        }
        let (kind, trained_context) = read_headers(parts);
        match &kind {
            FileKind::Chat => {}
            FileKind::Other(what) => tracing::info!(file = %file.display(), what, "the file is not a chat model"),
            FileKind::Broken(why) => tracing::warn!(file = %file.display(), why, "the model file cannot be used"),
        }
        Inspected { fingerprint, kind, trained_context }
    }
}

/// Reads the type and the context length of a model from its files.
fn read_headers(parts: &[PathBuf]) -> (FileKind, Option<u32>) {
    let (mut kind, mut context) = (FileKind::Chat, None);
    for (index, part) in parts.iter().enumerate() {
        let name = || part.file_name().unwrap_or_default().to_string_lossy();
        match Header::read(part) {
            Err(why) if parts.len() > 1 => return (FileKind::Broken(format!("{}: {why}", name())), None),
            Err(why) => return (FileKind::Broken(why), None),
            Ok(header) if header.split() != (parts.len() as u64, index as u64) => {
                let (count, number) = header.split();
                let why = format!("{} is part {} of {count} according to its header", name(), number + 1);
                return (FileKind::Broken(why), None);
            }
            Ok(header) if index == 0 => (kind, context) = (header.kind(), header.context()),
            Ok(_) => {}
        }
    }
    (kind, context)
}

/// The paths of all files of the model whose first or only file this is.
fn part_paths(file: &Path, stem: &str) -> Vec<PathBuf> {
    match parse_part_name(stem) {
        Some((name, 1, count)) => {
            (1..=count).map(|number| file.with_file_name(format!("{name}-{number:05}-of-{count:05}.gguf"))).collect()
        }
        _ => vec![file.to_owned()],
    }
}

/// Parses the name, number and count from the file stem of a part.
fn parse_part_name(stem: &str) -> Option<(&str, u32, u32)> {
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (name, part) = rest.rsplit_once('-')?;
    let number = |text: &str| text.parse().ok().filter(|_| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit()));
    Some((name, number(part)?, number(count)?))
}

/// Whether a file is the second or a later part of a model.
fn is_later_part(stem: &str) -> bool {
    parse_part_name(stem).is_some_and(|(_, number, _)| number != 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_part_of_a_model_is_listed() {
        for (stem, later) in [
            ("big-00001-of-00003", false),
            ("big-00002-of-00003", true),
            ("best-of-00003", false),
            ("one-of-many", false),
            ("SmolLM2-135M-Instruct.Q4_1", false),
        ] {
            assert_eq!(is_later_part(stem), later, "{stem}");
        }
        let parts = part_paths(Path::new("/m/big-00001-of-00003.gguf"), "big-00001-of-00003");
        assert_eq!(parts.last().map(PathBuf::as_path), Some(Path::new("/m/big-00003-of-00003.gguf")));
        assert_eq!(parts.len(), 3);
    }
}
