//! Configuration errors, and the origin of values.

use std::{fmt, path::PathBuf};

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The value is not set.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// One value in effect. Secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key, for example `log.format`.
    pub key: String,
    /// The value, formatted for display.
    pub value: String,
    /// Where the value was set.
    pub origin: Origin,
}

/// One configuration error and how to fix it. Never contains a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The key; the variable or file if there is no key.
    pub key: String,
    /// Where the value was set.
    pub origin: Origin,
    /// What is wrong, as a sentence.
    pub problem: String,
    /// How to fix it, as a sentence.
    pub remedy: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Variable(name) if *name == self.key => write!(f, "{name}: ")?,
            Origin::File(path) if path.as_os_str() == self.key.as_str() => write!(f, "{}: ", self.key)?,
            origin => write!(f, "{} (from {origin}): ", self.key)?,
        }
        write!(f, "{} {}", self.problem, self.remedy)
    }
}

/// All errors of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "The configuration has {count} {}:", if count == 1 { "fault" } else { "faults" })?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

/// The remedy for an unknown name: suggests the most similar known name.
pub(super) fn suggestion<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known.map(|name| (distance(unknown, name), name)).min();
    match nearest {
        Some((steps, name)) if steps <= unknown.len().max(name.len()) / 2 => {
            format!("Did you mean `{name}`? Otherwise remove it.")
        }
        _ => "Remove it.".to_owned(),
    }
}

/// The Levenshtein distance.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_but_only_a_near_one() {
        let known = ["listen", "log.format", "sign_up"];
        assert_eq!(suggestion("lisen", known.into_iter()), "Did you mean `listen`? Otherwise remove it.");
        assert_eq!(suggestion("logs.format", known.into_iter()), "Did you mean `log.format`? Otherwise remove it.");
        assert_eq!(suggestion("colour_of_the_sky", known.into_iter()), "Remove it.");
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
