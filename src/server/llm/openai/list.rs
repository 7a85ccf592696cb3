//! The model list of an endpoint.

use serde_json::Value;

use super::{
    super::{ModelError, is_valid_model_name},
    describe_json_error,
};
use crate::domain::Failure;

/// The models that an endpoint lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelList {
    /// The names in the endpoint's order, without duplicates.
    pub names: Vec<String>,
    /// The number of entries without a usable name.
    pub unnamed: usize,
    /// The number of entries whose name occurred before.
    pub duplicates: usize,
}

impl ModelList {
    /// Parses a list: an array of objects or names, bare or under `data` or `models`.
    ///
    /// # Errors
    /// `WebPage`, `Garbled` or `UnknownJson`.
    pub fn parse(body: &[u8]) -> Result<Self, ModelError> {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
        let json: Value = serde_json::from_slice(body).map_err(|fault| {
            let is_page = body.trim_ascii_start().starts_with(b"<");
            let failure = if is_page { Failure::WebPage } else { Failure::Garbled };
            ModelError::new(failure, format!("the list of models is not JSON: {}", describe_json_error(&fault)))
        })?;
        // The OpenAI API names models by `id`. Lists in other formats, such as Ollama's, use other keys.
        let data = json.get("data").and_then(Value::as_array);
        let keys: &[&str] = if data.is_some() { &["id"] } else { &["id", "model", "name"] };
        let Some(entries) = data.or_else(|| json.get("models")?.as_array()).or(json.as_array()) else {
            return Err(ModelError::new(Failure::UnknownJson, "the response holds no list of models"));
        };
        let mut listed = Self::default();
        let mut seen = std::collections::HashSet::new();
        for entry in entries {
            let write_session = |key: &&str| entry.get(key)?.as_str();
            match entry
                .as_str()
                .or_else(|| keys.iter().find_map(write_session))
                .filter(|name| is_valid_model_name(name))
            {
                None => listed.unnamed += 1,
                Some(name) if seen.insert(name) => listed.names.push(name.to_owned()),
                Some(_) => listed.duplicates += 1,
            }
        }
        Ok(listed)
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
    use super::*;

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
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(ModelList::parse(body.as_bytes()), Ok(ModelList { names, unnamed, duplicates }), "{body}");
        }
        for (body, failure) in [
            ("<html>", Failure::WebPage),
            ("not found", Failure::Garbled),
            ("{}", Failure::UnknownJson),
            (r#"{"data":null}"#, Failure::UnknownJson),
        ] {
            assert_eq!(ModelList::parse(body.as_bytes()).map_err(|fault| fault.failure), Err(failure), "{body}");
        }
    }
}
