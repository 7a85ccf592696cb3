//! The list of an endpoint's models.

use serde_json::Value;

use super::{
    super::{ModelError, is_name},
    describe_json,
};
use crate::domain::Failure;

/// The models that an endpoint lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// Their names, each once, in the endpoint's order.
    pub names: Vec<String>,
    /// Entries without a name that can be used.
    pub nameless: usize,
    /// Entries whose name came before.
    pub repeated: usize,
}

impl Listed {
    /// Reads a list: an array of objects or names, bare or under `data` or `models`.
    ///
    /// # Errors
    /// `WebPage`, `Garbled` or `UnknownJson`.
    pub fn parse(body: &[u8]) -> Result<Self, ModelError> {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let json: Value = serde_json::from_slice(body).map_err(|fault| {
            let is_page = body.trim_ascii_start().starts_with(b"<");
            let failure = if is_page { Failure::WebPage } else { Failure::Garbled };
            ModelError::new(failure, format!("the list of models is not JSON: {}", describe_json(&fault)))
        })?;
        // The interface names models by `id`; lists of another form, such as Ollama's, have names of their own.
        let data = json.get("data").and_then(Value::as_array);
        let keys: &[&str] = if data.is_some() { &["id"] } else { &["id", "model", "name"] };
        let Some(entries) = data.or_else(|| json.get("models")?.as_array()).or(json.as_array()) else {
            return Err(ModelError::new(Failure::UnknownJson, "the answer to the question for models holds no list"));
        };
        let mut listed = Self::default();
        let mut seen = std::collections::HashSet::new();
        for entry in entries {
            let named = |key: &&str| entry.get(key)?.as_str();
            match entry.as_str().or_else(|| keys.iter().find_map(named)).filter(|name| is_name(name)) {
                None => listed.nameless += 1,
                Some(name) if seen.insert(name) => listed.names.push(name.to_owned()),
                Some(_) => listed.repeated += 1,
            }
        }
        Ok(listed)
    }

    /// What is wrong with the list, for the log; empty where nothing is.
    pub fn complaint(&self) -> String {
        let mut faults = Vec::new();
        if self.names.is_empty() {
            faults.push("it is empty".to_owned());
        }
        if self.nameless > 0 {
            faults.push(format!("entries without a usable name: {}", self.nameless));
        }
        if self.repeated > 0 {
            faults.push(format!("entries that came before: {}", self.repeated));
        }
        faults.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_in_every_form() {
        for (body, names, nameless, repeated) in [
            (r#"{"object":"list","data":[{"id":"b"},{"id":"a"}]}"#, &["b", "a"][..], 0, 0),
            (r#"[{"id":"a"},{"id":"b"}]"#, &["a", "b"], 0, 0),
            (r#"["a","b"]"#, &["a", "b"], 0, 0),
            (r#"{"models":[{"name":"a:8b","model":"a:8b"}]}"#, &["a:8b"], 0, 0),
            (r#"{"data":[{"id":"a"},{"object":"model","name":"b"},{"id":null},{"id":""},null,7]}"#, &["a"], 5, 0),
            (r#"{"data":[{"id":"a"},{"id":"b"},{"id":"a"},{"id":"a"}]}"#, &["a", "b"], 0, 2),
            ("\u{FEFF}{\"data\":[]}", &[], 0, 0),
        ] {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(Listed::parse(body.as_bytes()), Ok(Listed { names, nameless, repeated }), "{body}");
        }
        for (body, failure) in [
            ("<html>", Failure::WebPage),
            ("not found", Failure::Garbled),
            ("{}", Failure::UnknownJson),
            (r#"{"data":null}"#, Failure::UnknownJson),
        ] {
            assert_eq!(Listed::parse(body.as_bytes()).map_err(|fault| fault.failure), Err(failure), "{body}");
        }
    }
}
