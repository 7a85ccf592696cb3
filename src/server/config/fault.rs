//! Faults of a configuration, and where its values come from.

use std::{fmt, path::PathBuf};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
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

/// One value that is in effect. Secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its key, for example `log.format`.
    pub key: String,
    /// The value for people.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// One thing that is wrong, with what to do about it. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key, or the variable or file where there is no key.
    pub key: String,
    /// Where the value comes from.
    pub origin: Origin,
    /// What is wrong, a sentence.
    pub problem: String,
    /// What to do, a sentence.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Variable(name) if *name == self.key => write!(f, "{name}: ")?,
            Origin::File(path) if path.as_os_str() == self.key.as_str() => write!(f, "{}: ", self.key)?,
            origin => write!(f, "{} (from {origin}): ", self.key)?,
        }
        write!(f, "{} {}", self.problem, self.remedy)
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "The configuration has {count} {}:", if count == 1 { "fault" } else { "faults" })?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

/// The remedy for a name that is not known: the nearest one that is.
pub(super) fn suggestion<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known.map(|name| (distance(unknown, name), name)).min();
    match nearest {
        Some((steps, name)) if steps <= unknown.len().max(name.len()) / 2 => {
            format!("Did you mean `{name}`? Otherwise remove it.")
        }
        _ => "Remove it.".to_owned(),
    }
}

/// How many letters must be put in, taken out or changed to make one text the other (Levenshtein).
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
