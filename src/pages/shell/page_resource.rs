//! The data of pages: loaded on the server with the page, and in the browser when a link leads there.

use codee::{Decoder, Encoder};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use crate::domain::AppError;

/// The data of a page, or why it could not be loaded.
pub type PageResource<T> = Resource<Result<T, AppError>, Json>;

/// Loads the data of a page, again whenever `source` changes. The page is sent once it is there.
pub fn page_resource<S, T, F>(
    source: impl Fn() -> S + Send + Sync + 'static,
    load: impl Fn(S) -> F + Send + Sync + 'static,
) -> PageResource<T>
where
    S: PartialEq + Clone + Send + Sync + 'static,
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    Resource::new_with_options(source, load, true)
}

/// How a page carries its data. Leptos' own codec reads JSON from a string; this one reads it from bytes, like the
/// answers of server functions, because the WASM would contain the code that reads each type twice.
pub struct Json;

impl<T: Serialize> Encoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = String;

    fn encode(value: &T) -> Result<String, Self::Error> {
        serde_json::to_string(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Json {
    type Error = serde_json::Error;
    type Encoded = str;

    fn decode(text: &str) -> Result<T, Self::Error> {
        serde_json::from_slice(text.as_bytes())
    }
}
