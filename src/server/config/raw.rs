//! Reads the file and the environment into raw values with their origins.

use std::{collections::BTreeMap, ffi::OsString, path::Path};

use super::error::{ConfigError, Origin, suggestion};

/// The keys of the lists of named tables.
const LISTS: [&str; 2] = ["providers", "identity_providers"];
/// Variables without our prefix, because hosting platforms set them by convention.
const COMMON_VARIABLES: [(&str, &str); 2] = [("DATABASE_URL", "database_url"), ("REDIS_URL", "redis_url")];
const PREFIX: &str = "COLLOQUY_";

/// An unparsed value.
#[derive(Debug, Clone)]
pub(super) enum Raw {
    /// From an environment variable.
    Text(String),
    /// From the file.
    Toml(toml::Value),
}

/// An unparsed value and its origin.
#[derive(Debug, Clone)]
pub(super) struct RawEntry {
    pub raw: Raw,
    pub origin: Origin,
}

/// The values of one table, by key.
pub(super) type Values = BTreeMap<String, RawEntry>;

/// The keys that a configuration can have.
#[derive(Debug)]
pub(super) struct KnownKeys {
    /// The keys outside lists of tables. The variable of a key is `COLLOQUY_` and the key in upper case.
    pub values: Vec<String>,
    /// The keys of a table of `[[providers]]`, besides its name.
    pub providers: Vec<String>,
    /// The keys of a table of `[[identity_providers]]`, besides its name.
    pub identity_providers: Vec<String>,
}

impl KnownKeys {
    /// The keys of the tables of a list; `None` if there is no such list.
    fn of_tables(&self, list: &str) -> Option<&[String]> {
        match list {
            "providers" => Some(&self.providers),
            "identity_providers" => Some(&self.identity_providers),
            _ => None,
        }
    }
}

/// All values that were set.
#[derive(Debug)]
pub(super) struct RawConfig<'a> {
    keys: &'a KnownKeys,
    pub values: Values,
    /// The tables of `[[providers]]` by name, first those of the file, then those of the environment.
    pub providers: Vec<(String, Values)>,
    /// The tables of `[[identity_providers]]`, in the same order.
    pub identity_providers: Vec<(String, Values)>,
}

/// The environment variable of a key.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_uppercase())
}

impl<'a> RawConfig<'a> {
    /// No values yet.
    pub fn new(keys: &'a KnownKeys) -> Self {
        Self { keys, values: Values::new(), providers: Vec::new(), identity_providers: Vec::new() }
    }

    /// Adds the values of a file. `path` is used in errors.
    pub fn add_file(&mut self, path: &Path, text: &str, errors: &mut Vec<ConfigError>) {
        let origin = Origin::File(path.to_owned());
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                // Only the message and the line number: the error's own text quotes the line, which may contain a
                // secret.
                let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
                let problem = format!("Line {line} is not TOML ({}).", error.message().replace('\n', " "));
                let remedy = "Correct that line.".to_owned();
                errors.push(ConfigError { key: path.display().to_string(), origin, problem, remedy });
                return;
            }
        };
        for (key, value) in table {
            match value {
                toml::Value::Array(items) if LISTS.contains(&key.as_str()) => {
                    self.add_tables(&key, items, &origin, errors);
                }
                value => self.add_tree(key, value, &origin, errors),
            }
        }
    }

    fn add_tree(&mut self, key: String, value: toml::Value, origin: &Origin, errors: &mut Vec<ConfigError>) {
        match value {
            _ if LISTS.contains(&key.as_str()) => errors.push(not_a_table_list(&key, origin)),
            toml::Value::Table(table) if !table.is_empty() && !self.keys.values.contains(&key) => {
                for (name, value) in table {
                    self.add_tree(format!("{key}.{name}"), value, origin, errors);
                }
            }
            value if self.keys.values.contains(&key) => {
                self.values.insert(key, RawEntry { raw: Raw::Toml(value), origin: origin.clone() });
            }
            _ => errors.push(unknown_key(key, origin, &self.keys.values)),
        }
    }

    fn add_tables(&mut self, list: &str, items: Vec<toml::Value>, origin: &Origin, errors: &mut Vec<ConfigError>) {
        let known = self.keys.of_tables(list).unwrap_or_default();
        for (index, item) in items.into_iter().enumerate() {
            let toml::Value::Table(mut table) = item else {
                errors.push(not_a_table_list(list, origin));
                continue;
            };
            let key = format!("{list}[{index}].name");
            let Some(toml::Value::String(name)) = table.remove("name") else {
                let problem = "It is missing or not a text.".to_owned();
                let remedy = "Give each provider a short name, for example `name = \"ollama\"`.".to_owned();
                errors.push(ConfigError { key, origin: origin.clone(), problem, remedy });
                continue;
            };
            if self.tables(list).iter().any(|(known, _)| same_name(known, &name)) {
                let problem = format!("The name {name:?} is used twice.");
                let remedy = "Give each provider its own name.".to_owned();
                errors.push(ConfigError { key, origin: origin.clone(), problem, remedy });
                continue;
            }
            let mut values = Values::new();
            for (key, value) in table {
                if known.contains(&key) {
                    values.insert(key, RawEntry { raw: Raw::Toml(value), origin: origin.clone() });
                } else {
                    errors.push(unknown_key(format!("{list}.{name}.{key}"), origin, known));
                }
            }
            self.tables(list).push((name, values));
        }
    }

    /// Adds the environment variables, which override the file. An empty variable counts as not set.
    pub fn add_environment(
        &mut self,
        variables: impl Iterator<Item = (OsString, OsString)>,
        errors: &mut Vec<ConfigError>,
    ) {
        let mut common = Vec::new();
        let mut ours = Vec::new();
        for (name, value) in variables {
            let Some(name) = name.to_str().map(str::to_owned) else { continue };
            let known = COMMON_VARIABLES.iter().find(|(common, _)| *common == name);
            if value.is_empty() || (known.is_none() && !name.starts_with(PREFIX)) {
                continue;
            }
            let origin = Origin::Variable(name.clone());
            let Ok(value) = value.into_string() else {
                let (problem, remedy) = ("It is not UTF-8 text.".to_owned(), "Set it to plain text.".to_owned());
                errors.push(ConfigError { key: name, origin, problem, remedy });
                continue;
            };
            let entry = RawEntry { raw: Raw::Text(value), origin };
            match known {
                Some((_, key)) => common.push(((*key).to_owned(), entry)),
                None => ours.push((name, entry)),
            }
        }
        self.values.extend(common);
        ours.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, entry) in ours {
            self.add_variable(&name, entry, errors);
        }
    }

    fn add_variable(&mut self, name: &str, entry: RawEntry, errors: &mut Vec<ConfigError>) {
        let mut parts = name[PREFIX.len()..].split("__");
        if let (Some(list), Some(provider), Some(key), None) = (parts.next(), parts.next(), parts.next(), parts.next())
            && let Some(known) = self.keys.of_tables(&list.to_lowercase())
        {
            let key = key.to_lowercase();
            if known.contains(&key) {
                self.table(&list.to_lowercase(), provider).insert(key, entry);
            } else {
                let beginning = format!("{PREFIX}{}__{provider}__", list.to_uppercase());
                let known: Vec<_> = known.iter().map(|key| format!("{beginning}{}", key.to_uppercase())).collect();
                errors.push(unknown_key(name.to_owned(), &entry.origin, &known));
            }
            return;
        }
        match self.keys.values.iter().find(|key| variable(key) == name) {
            Some(key) => {
                self.values.insert(key.clone(), entry);
            }
            None => {
                let known: Vec<_> = self.keys.values.iter().map(|key| variable(key)).collect();
                errors.push(unknown_key(name.to_owned(), &entry.origin, &known));
            }
        }
    }

    fn tables(&mut self, list: &str) -> &mut Vec<(String, Values)> {
        if list == "providers" { &mut self.providers } else { &mut self.identity_providers }
    }

    /// The values of the table with this name, which is created if it does not exist.
    fn table(&mut self, list: &str, name: &str) -> &mut Values {
        let tables = self.tables(list);
        let index = tables.iter().position(|(known, _)| same_name(known, name)).unwrap_or_else(|| {
            tables.push((name.to_lowercase(), Values::new()));
            tables.len() - 1
        });
        &mut tables[index].1
    }
}

/// Compares names as variables spell them: without hyphens and case.
fn same_name(one: &str, other: &str) -> bool {
    one.replace('-', "_").eq_ignore_ascii_case(&other.replace('-', "_"))
}

fn unknown_key(key: String, origin: &Origin, known: &[impl AsRef<str>]) -> ConfigError {
    // Only the last part of a table's key can be misspelt.
    let of_table = LISTS.iter().any(|list| key.strip_prefix(list).is_some_and(|rest| rest.starts_with('.')));
    let spelt = if of_table { key.rsplit('.').next().unwrap_or_default() } else { key.as_str() };
    let remedy = suggestion(spelt, known.iter().map(AsRef::as_ref));
    ConfigError { origin: origin.clone(), problem: "This key is not known.".to_owned(), remedy, key }
}

fn not_a_table_list(list: &str, origin: &Origin) -> ConfigError {
    ConfigError {
        key: list.to_owned(),
        origin: origin.clone(),
        problem: "It is not a list of tables.".to_owned(),
        remedy: format!("Begin each provider with a line `[[{list}]]`."),
    }
}
