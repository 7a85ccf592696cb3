//! The model list of a provider.

use std::collections::{HashMap, hash_map::Entry};

use serde_json::Value;

use super::super::{ModelError, is_valid_model_name};
use crate::domain::Failure;

/// The models that a provider lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelList {
    /// The names in the provider's order, without duplicates.
    pub names: Vec<String>,
    /// The number of entries without a usable name.
    pub unnamed: usize,
    /// The number of entries whose name occurred before.
    pub duplicates: usize,
    /// The context windows of all names in tokens, where the provider tells them.
    contexts: HashMap<String, Option<u32>>,
}

impl ModelList {
    /// Reads a list: an array of objects or names, bare or under `data` or `models`.
    ///
    /// # Errors
    /// `UnknownJson`.
    pub fn from_json(json: &Value) -> Result<Self, ModelError> {
        // The OpenAI API names models by `id`. Lists in other formats, such as Ollama's, use other keys.
        let data = json.get("data").and_then(Value::as_array);
        let keys: &[&str] = if data.is_some() { &["id"] } else { &["id", "model", "name"] };
        let Some(entries) = data.or_else(|| json.get("models")?.as_array()).or(json.as_array()) else {
            return Err(Self::missing());
        };
        let mut listed = Self::default();
        for entry in entries {
            let name = entry.as_str().or_else(|| keys.iter().find_map(|key| entry.get(key)?.as_str()));
            listed.add(name, None);
        }
        Ok(listed)
    }

    /// The error for a response that holds no list.
    pub fn missing() -> ModelError {
        ModelError::new(Failure::UnknownJson, "the response holds no list of models")
    }

    /// Adds an entry. Counts it as a problem if it has no usable name or occurred before.
    pub fn add(&mut self, name: Option<&str>, context: Option<u32>) {
        match name.filter(|name| is_valid_model_name(name)) {
            None => self.unnamed += 1,
            Some(name) => match self.contexts.entry(name.to_owned()) {
                Entry::Occupied(_) => self.duplicates += 1,
                Entry::Vacant(entry) => {
                    entry.insert(context);
                    self.names.push(name.to_owned());
                }
            },
        }
    }

    /// The context window of a model in tokens, if the provider tells it.
    pub fn context_of(&self, name: &str) -> Option<u32> {
        self.contexts.get(name).copied().flatten()
    }

    /// Drops all but the first `count` models.
    pub fn truncate(&mut self, count: usize) {
        for name in self.names.drain(count.min(self.names.len())..) {
            self.contexts.remove(&name);
        }
    }

    /// The problems of the list, for the log. Empty if there are none.
    pub fn problems(&self) -> String {
        let mut problems = Vec::new();
        if self.names.is_empty() {
            problems.push("it is empty".to_owned());
        }
        if self.unnamed > 0 {
            problems.push(format!("entries without a usable name: {}", self.unnamed));
        }
        if self.duplicates > 0 {
            problems.push(format!("entries that came before: {}", self.duplicates));
        }
        problems.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::{super::json::parse_document, *};

    fn parse(body: &str) -> Result<ModelList, ModelError> {
        ModelList::from_json(&parse_document(body.as_bytes())?)
    }

    #[test]
    fn lists_are_parsed_in_every_form() {
        for (body, names, unnamed, duplicates) in [
            (r#"{"object":"list","data":[{"id":"b"},{"id":"a"}]}"#, &["b", "a"][..], 0, 0),
            (r#"[{"id":"a"},{"id":"b"}]"#, &["a", "b"], 0, 0),
            (r#"["a","b"]"#, &["a", "b"], 0, 0),
            (r#"{"models":[{"name":"a:8b","model":"a:8b"}]}"#, &["a:8b"], 0, 0),
            (r#"{"data":[{"id":"a"},{"object":"model","name":"b"},{"id":null},{"id":""},null,7]}"#, &["a"], 5, 0),
            (r#"{"data":[{"id":"a"},{"id":"b"},{"id":"a"},{"id":"a"}]}"#, &["a", "b"], 0, 2),
            ("\u{FEFF}{\"data\":[]}", &[], 0, 0),
        ] {
            let list = parse(body).expect(body);
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!((list.names, list.unnamed, list.duplicates), (names, unnamed, duplicates), "{body}");
        }
        for (body, failure) in [
            ("<html>", Failure::WebPage),
            ("not found", Failure::Garbled),
            ("{}", Failure::UnknownJson),
            (r#"{"data":null}"#, Failure::UnknownJson),
        ] {
            assert_eq!(parse(body).map_err(|fault| fault.failure), Err(failure), "{body}");
        }
    }
}
