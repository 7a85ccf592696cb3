//! Answers that say no, all in one form.

use axum::{
    body::Body,
    http::{Extensions, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    domain::AppError,
    i18n::{Language, Reason, Texts},
    server::{fault::Fault, telemetry::RequestId},
};

/// Seconds after which it is worth asking again for what does not answer now.
const UNAVAILABLE_FOR: u32 = 5;

/// Lies in the extensions of an answer that is a refusal, so that the outermost layer can show it to a person.
#[derive(Debug, Clone)]
struct Refused(AppError);

/// The answer to a request that is refused: the error as JSON.
pub fn refuse(error: AppError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refuse_as(status, error)
}

/// Like [`refuse`], with a status of its own where HTTP has a better one than the error.
pub fn refuse_as(status: StatusCode, error: AppError) -> Response {
    let json = serde_json::to_vec(&error).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], Body::from(json)).into_response();
    let retry_after = match &error {
        AppError::RateLimited { retry_after } => Some(*retry_after),
        AppError::Unavailable { .. } => Some(UNAVAILABLE_FOR),
        _ => None,
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(Refused(error));
    response
}

/// Something is wrong with the request itself; `reason` says what.
pub fn refuse_request(status: StatusCode, reason: Reason) -> Response {
    refuse_as(status, AppError::invalid("request", reason))
}

/// For a method that the route does not know.
pub(super) async fn not_served() -> Response {
    refuse_request(StatusCode::METHOD_NOT_ALLOWED, reason!("method_not_served"))
}

/// The language that whoever sent a request reads.
pub(super) fn language_in(extensions: &Extensions) -> Language {
    extensions.get().copied().unwrap_or_default()
}

/// Makes a refusal a page in this language, for a person who followed a link and would not want to see JSON.
pub(super) fn show_as_page(response: &mut Response, language: Language) {
    let Some(Refused(error)) = response.extensions_mut().remove::<Refused>() else { return };
    *response.body_mut() = page(&error, language.texts());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
}

fn page(error: &AppError, texts: &Texts) -> Body {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Body::from(format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Colloquy</title>\n<main>\n<h1>{title}</h1>\n<p>{text}</p>\n\
         <p><a href=\"/\">{start}</a></p>\n</main>\n</html>\n",
        lang = texts.tag(),
        title = escaped(t!(in texts, "error.page_title")),
        text = escaped(&error.text_in(texts)),
        start = escaped(t!(in texts, "error.page_start")),
    ))
}

/// The answer to work that failed: what the person can use, with the rest in the log under the request's id.
pub(super) fn refuse_fault(fault: Fault, extensions: &Extensions) -> Response {
    let request_id = extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    refuse(fault.into_app_error(&request_id))
}
