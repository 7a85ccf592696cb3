//! Error responses, all in one format.

use axum::{
    body::Body,
    http::{Extensions, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use html_escape::encode_text;

use crate::{
    domain::AppError,
    i18n::{Language, Reason, Texts},
    server::{fault::Fault, telemetry::RequestId},
};

/// The `Retry-After` of a 503 response, in seconds.
const UNAVAILABLE_RETRY_AFTER: u32 = 5;

/// In the extensions of an error response, so that the outermost layer can render it as a page.
#[derive(Debug, Clone)]
struct Refused(AppError);

/// The response to a rejected request: the error as JSON.
pub fn refuse(error: AppError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refuse_as(status, error)
}

/// Like [`refuse`], with another status where HTTP has a more specific one.
pub fn refuse_as(status: StatusCode, error: AppError) -> Response {
    let json = serde_json::to_vec(&error).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], Body::from(json)).into_response();
    let retry_after = match &error {
        AppError::RateLimited { retry_after } => Some(*retry_after),
        AppError::Unavailable { .. } => Some(UNAVAILABLE_RETRY_AFTER),
        _ => None,
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(Refused(error));
    response
}

/// The request itself is invalid; `reason` tells why.
pub fn refuse_request(status: StatusCode, reason: Reason) -> Response {
    refuse_as(status, AppError::invalid("request", reason))
}

/// The response to a method that the route does not support.
pub(super) async fn method_not_allowed() -> Response {
    refuse_request(StatusCode::METHOD_NOT_ALLOWED, reason!("method_not_served"))
}

/// The language of the reader, as set by the access log or the caller layer.
pub(super) fn language_in(extensions: &Extensions) -> Language {
    extensions.get().copied().unwrap_or_default()
}

/// Turns an error response into an HTML page, for a user who followed a link in a browser.
pub(super) fn show_as_page(response: &mut Response, language: Language) {
    let Some(Refused(error)) = response.extensions_mut().remove::<Refused>() else { return };
    *response.body_mut() = page(&error, language.texts());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
}

fn page(error: &AppError, texts: &Texts) -> Body {
    Body::from(format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Colloquy</title>\n<main>\n<h1>{title}</h1>\n<p>{text}</p>\n\
         <p><a href=\"/\">{start}</a></p>\n</main>\n</html>\n",
        lang = texts.tag(),
        title = encode_text(t!(in texts, "error.page_title")),
        text = encode_text(&error.text_in(texts)),
        start = encode_text(t!(in texts, "error.page_start")),
    ))
}

/// The response to a failed operation. Internal details are only logged, under the request id.
pub(super) fn refuse_fault(fault: Fault, extensions: &Extensions) -> Response {
    let request_id = extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    refuse(fault.into_app_error(&request_id))
}
