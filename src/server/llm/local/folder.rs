//! The folder of model files on this machine.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use super::{
    super::is_name,
    gguf::{Header, Kind},
};

/// A file of the folder that may be a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    /// Its name without `.gguf`.
    pub stem: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
}

/// The folder, and what its files were when they were looked at last.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    known: Mutex<HashMap<PathBuf, (Stamp, Kind)>>,
}

/// Length and time of last change of all files of a model: as long as these stay, the files are the same.
type Stamp = Vec<(u64, Option<SystemTime>)>;

impl Folder {
    /// Reads nothing yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), known: Mutex::default() }
    }

    /// The files; none where there is no folder. Of a model in several files (`…-00001-of-00003.gguf`), the first stands
    /// for all, and the library finds the rest. Headers are read once; what cannot be used is logged then.
    pub async fn files(self: Arc<Self>) -> Vec<ModelFile> {
        tokio::task::spawn_blocking(move || self.read()).await.unwrap_or_default()
    }

    fn read(&self) -> Vec<ModelFile> {
        let Ok(entries) = fs::read_dir(&self.path) else { return Vec::new() };
        let mut known = HashMap::new();
        let mut files = Vec::new();
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".gguf"));
            let stem = stem.filter(|stem| is_name(stem) && !is_later_part(stem));
            if let Some(stem) = stem
                && fs::metadata(entry.path()).is_ok_and(|meta| meta.is_file())
            {
                let (path, parts) = (entry.path(), parts(&entry.path(), stem));
                let (stamp, kind) = self.look(&path, &parts);
                known.insert(path.clone(), (stamp, kind.clone()));
                files.push(ModelFile { stem: stem.to_owned(), path, kind });
            }
        }
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
        files
    }

    fn look(&self, file: &Path, parts: &[PathBuf]) -> (Stamp, Kind) {
        let stamp: io::Result<Stamp> =
            parts.iter().map(|part| fs::metadata(part).map(|meta| (meta.len(), meta.modified().ok()))).collect();
        let stamp = stamp.unwrap_or_default();
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned();
        if let Some(before) = before.filter(|(known, _)| *known == stamp) {
            return before;
        }
        let kind = kind_of(parts);
        match &kind {
            Kind::Chat => {}
            Kind::Other(what) => tracing::info!(file = %file.display(), what, "a file is no model for conversations"),
            Kind::Broken(why) => tracing::warn!(file = %file.display(), why, "a model's file cannot be used"),
        }
        (stamp, kind)
    }
}

/// What a model in these files is.
fn kind_of(parts: &[PathBuf]) -> Kind {
    let mut kind = Kind::Chat;
    for (index, part) in parts.iter().enumerate() {
        let name = || part.file_name().unwrap_or_default().to_string_lossy();
        match Header::read(part) {
            Err(why) if parts.len() > 1 => return Kind::Broken(format!("{}: {why}", name())),
            Err(why) => return Kind::Broken(why),
            Ok(header) if header.split() != (parts.len() as u64, index as u64) => {
                let (count, number) = header.split();
                return Kind::Broken(format!("{} is part {} of {count}, against its name", name(), number + 1));
            }
            Ok(header) if index == 0 => kind = header.kind(),
            Ok(_) => {}
        }
    }
    kind
}

/// All files of the model whose first or only file this is.
fn parts(file: &Path, stem: &str) -> Vec<PathBuf> {
    match part(stem) {
        Some((name, 1, count)) => {
            (1..=count).map(|number| file.with_file_name(format!("{name}-{number:05}-of-{count:05}.gguf"))).collect()
        }
        _ => vec![file.to_owned()],
    }
}

/// The name, the number and the count in the name of a part of a model.
fn part(stem: &str) -> Option<(&str, u32, u32)> {
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (name, part) = rest.rsplit_once('-')?;
    let number = |text: &str| text.parse().ok().filter(|_| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit()));
    Some((name, number(part)?, number(count)?))
}

/// Whether a file holds the second or a later part of a model.
fn is_later_part(stem: &str) -> bool {
    part(stem).is_some_and(|(_, number, _)| number != 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_part_of_a_model_is_a_model() {
        for (stem, later) in [
            ("big-00001-of-00003", false),
            ("big-00002-of-00003", true),
            ("best-of-00003", false),
            ("one-of-many", false),
            ("SmolLM2-135M-Instruct.Q4_1", false),
        ] {
            assert_eq!(is_later_part(stem), later, "{stem}");
        }
        let parts = parts(Path::new("/m/big-00001-of-00003.gguf"), "big-00001-of-00003");
        assert_eq!(parts.last().map(PathBuf::as_path), Some(Path::new("/m/big-00003-of-00003.gguf")));
        assert_eq!(parts.len(), 3);
    }
}
