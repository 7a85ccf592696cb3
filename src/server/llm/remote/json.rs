//! Lenient parsing of JSON.

use serde_json::Value;

use super::{super::ModelError, repair::repair_json};
use crate::domain::Failure;

/// Parses the objects in a text. Some providers send two in one event, or an array.
///
/// # Errors
/// The error of the JSON parser, for the first broken object.
pub fn parse_objects(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    let parse = |text: &str| -> Result<Vec<Value>, serde_json::Error> {
        serde_json::Deserializer::from_str(text).into_iter().collect()
    };
    let values = parse(text).or_else(|fault| repair_json(text).and_then(|text| parse(&text).ok()).ok_or(fault))?;
    let flat = values.into_iter().flat_map(|value| match value {
        Value::Array(items) => items,
        value => vec![value],
    });
    Ok(flat.collect())
}

/// Parses a whole document, such as a list of models.
///
/// # Errors
/// `WebPage` or `Garbled`.
pub fn parse_document(body: &[u8]) -> Result<Value, ModelError> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    serde_json::from_slice(body).map_err(|fault| {
        let is_page = body.trim_ascii_start().starts_with(b"<");
        let failure = if is_page { Failure::WebPage } else { Failure::Garbled };
        ModelError::new(failure, format!("the response is not JSON: {}", describe_json_error(&fault)))
    })
}

/// Describes a JSON error without repeating any of the input.
pub fn describe_json_error(fault: &serde_json::Error) -> String {
    format!("{:?} error at column {}", fault.classify(), fault.column())
}

/// A whole number, also from a string or a float.
pub fn parse_number(value: &Value) -> Option<u64> {
    let of_text = || value.as_str()?.trim().parse().ok();
    value
        .as_u64()
        .or_else(of_text)
        .or_else(|| value.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64))
}

/// The number under a key of an object, if it is known: providers send 0 for what they do not know.
pub fn parse_known_count(object: &Value, key: &str) -> Option<u32> {
    Some(parse_count(object, key)).filter(|count| *count > 0)
}

/// The number under a key of an object. 0 if there is none.
pub fn parse_count(object: &Value, key: &str) -> u32 {
    let count = object.get(key).and_then(parse_number).unwrap_or(0);
    u32::try_from(count).unwrap_or(u32::MAX)
}
