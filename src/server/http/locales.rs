//! The interface texts for browsers: one file per language and bundle. Public.

use axum::{
    Router,
    extract::Path,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{files::CACHE_IMMUTABLE, refusal::refuse};
use crate::{
    domain::AppError,
    i18n::{Bundle, Language},
};

pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/locales/{language}/{version}/{file}", get(file))
}

async fn file(Path((language, version, file)): Path<(String, String, String)>) -> Response {
    let language = Language::from_tag(&language);
    let bundle = file.strip_suffix(".txt").and_then(|name| Bundle::ALL.into_iter().find(|known| known.name == name));
    match language.zip(bundle) {
        // Texts of another program version might lack messages that the page needs.
        Some((language, bundle)) if language.version() == version => {
            let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
            (headers, [(CACHE_CONTROL, CACHE_IMMUTABLE)], language.file(bundle)).into_response()
        }
        _ => refuse(AppError::NotFound),
    }
}
