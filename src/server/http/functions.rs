//! `/api`: the server functions over HTTP.

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{CONTENT_TYPE, LOCATION, REFERER},
    },
    response::{IntoResponse, Response},
    routing::{any, post},
};
use http_body_util::BodyExt;
use leptos::prelude::provide_context;
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use server_fn::error::SERVER_FN_ERROR_HEADER;

use super::{
    access_log::accepts_html,
    body, form_values,
    guard::{RequestHost, Rules},
    refusal::{refuse, refuse_as, refuse_request},
};
use crate::{
    domain::AppError,
    server::{access::Endpoint, state::AppState},
};

/// The argument names of a server function.
type Fields = &'static [&'static str];

/// The maximum nesting depth of brackets in a JSON request.
const MAX_DEPTH: u32 = 64;

/// Adds one route per server function, so that the access log shows its name; any other path below `/api` is not found.
/// Server functions called by GET would bypass the origin check, so they are not allowed.
pub(super) fn routes(state: &AppState, rules: &Arc<Rules>) -> Router<AppState> {
    let mut router = Router::new().route("/api/{*path}", any(async || refuse(AppError::NotFound)));
    for (path, method) in server_fn::axum::server_fn_paths() {
        assert_eq!(method, Method::POST, "the server function at {path} must be called by POST");
        let endpoint =
            Endpoint::at(path).unwrap_or_else(|| panic!("the server function at {path} has no access policy"));
        let (state, fields) = (state.clone(), endpoint.arguments());
        let handler = move |State(rules): State<Arc<Rules>>, request| call(state, rules, fields, request);
        router = router.route(path, post(handler).with_state(rules.clone()));
    }
    router
}

async fn call(state: AppState, rules: Arc<Rules>, fields: Fields, mut request: Request) -> Response {
    if !is_form(request.headers()) && !is_json(request.headers()) {
        return refuse_request(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason!("form_or_json_expected"));
    }
    let bytes = match body::read(std::mem::take(request.body_mut())).await {
        Ok(bytes) => bytes,
        Err(refusal) => return *refusal,
    };
    let form = is_form(request.headers());
    if let Err(refusal) = check(&bytes, form) {
        return *refusal;
    }
    if has_unknown_fields(&bytes, form, fields) {
        return refuse_request(StatusCode::UNPROCESSABLE_ENTITY, reason!("field_unknown"));
    }
    let plain_form = (form && accepts_html(request.headers())).then(|| bytes.clone());
    let path = request.uri().path().to_owned();
    *request.body_mut() = Body::from(bytes);
    let host = request.extensions().get::<RequestHost>().map(|host| host.0.clone()).unwrap_or_default();
    restrict_referer(request.headers_mut(), &rules, &host);

    let https = state.config.is_https();
    let context = move || provide_context(state.clone());
    let mut response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    let failed = response.status().is_redirection() && response.headers().contains_key(SERVER_FN_ERROR_HEADER);
    if let Some(form) = plain_form.filter(|_| failed) {
        form_values::store(response.headers_mut(), &path, &form, https);
    }
    finish_response(response, &rules, &host).await
}

fn content_type(headers: &HeaderMap) -> &str {
    let content_type =
        headers.get(CONTENT_TYPE).and_then(|content_type| content_type.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim()
}

fn is_form(headers: &HeaderMap) -> bool {
    content_type(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn is_json(headers: &HeaderMap) -> bool {
    content_type(headers).eq_ignore_ascii_case("application/json")
}

/// Rejects input that the parsers would accept.
fn check(body: &[u8], form: bool) -> Result<(), Box<Response>> {
    let text = std::str::from_utf8(body).ok();
    // The form parser replaces invalid UTF-8 instead of rejecting it.
    if text.is_none_or(|text| form && percent_decode_str(text).decode_utf8().is_err()) {
        return Err(Box::new(refuse_request(StatusCode::BAD_REQUEST, reason!("request_not_text"))));
    }
    if !form && is_too_deep(body) {
        return Err(Box::new(refuse_request(StatusCode::UNPROCESSABLE_ENTITY, reason!("malformed_request"))));
    }
    Ok(())
}

/// Whether the request has a field that the function does not take: an attempt to set a field that is not the user's to
/// set, or a mistake. JSON that is not an object is left to the parser.
fn has_unknown_fields(body: &[u8], form: bool, fields: Fields) -> bool {
    let is_unknown = |name: &str| !fields.contains(&name);
    if !form {
        return serde_json::from_slice::<HashMap<String, IgnoredAny>>(body)
            .is_ok_and(|sent| sent.keys().any(|name| is_unknown(name)));
    }
    // An element of a list is named `name[]` or `name[0]`.
    form_urlencoded::parse(body).any(|(name, _)| is_unknown(name.split('[').next().unwrap_or_default()))
}

/// Whether brackets are nested more deeply than in any valid request. Counted before parsing because the parser's own
/// limit does not apply inside skipped fields.
fn is_too_deep(body: &[u8]) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

/// Leptos answers a plain form by redirecting to its referrer, with the error in the query. Restricts the referrer to
/// our own pages.
fn restrict_referer(headers: &mut HeaderMap, rules: &Rules, host: &str) {
    let Some(link) = headers.get(REFERER) else { return };
    let path = rules.site.local_path(host, link.to_str().unwrap_or_default());
    let base = format!("http://{host}");
    match HeaderValue::try_from(format!("{base}{path}")) {
        Ok(link) => headers.insert(REFERER, link),
        Err(_) => headers.remove(REFERER),
    };
}

/// Sets the status code that matches the error: Leptos uses 500 for every error. Rewrites every redirect target to a
/// path of this site.
async fn finish_response(mut response: Response, rules: &Rules, host: &str) -> Response {
    if let Some(link) = response.headers().get(LOCATION) {
        let link = link.to_str().unwrap_or_default();
        let path = rules.site.local_path(host, link.strip_prefix(&format!("http://{host}")).unwrap_or(link));
        response.headers_mut().insert(LOCATION, HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/")));
    }
    let is_error = response.headers().contains_key(SERVER_FN_ERROR_HEADER);
    if !is_error || response.status() != StatusCode::INTERNAL_SERVER_ERROR {
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map_or_else(|_| Bytes::new(), |body| body.to_bytes());
    let Ok(error) = serde_json::from_slice::<AppError>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut finished = refuse_as(status, error);
    for (name, value) in &parts.headers {
        if name != axum::http::header::CONTENT_LENGTH && name != CONTENT_TYPE {
            finished.headers_mut().append(name.clone(), value.clone());
        }
    }
    finished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_25_unknown_fields_are_found_in_forms_and_json() {
        let fields: Fields = &["chats", "action"];
        for (form, body, others) in [
            (true, "", false),
            (true, "chats[]=1&chats%5B%5D=2&action=pin&", false),
            (true, "chats[0]=1&role=x", true),
            (true, "%72ole=x", true),
            (true, "Action=pin", true),
            (true, "=x", true),
            (false, r#"{"chats":[1],"action":{"role":1}}"#, false),
            (false, r#"{"chats":[1],"\u0072ole":1}"#, true),
            (false, "null", false),
            (false, "{", false),
        ] {
            assert_eq!(has_unknown_fields(body.as_bytes(), form, fields), others, "{body}");
        }
    }

    #[test]
    fn row_04_forms_that_are_not_utf_8_are_rejected() {
        for body in ["", "a=b+c", "a=%c3%A9", "a=100%", "a=%z1%4", "a=%2541", "a=\u{e9}"] {
            assert!(check(body.as_bytes(), true).is_ok(), "{body}");
        }
        for body in ["a=%ff", "%c3(=a", "a=%ed%a0%80"] {
            assert!(check(body.as_bytes(), true).is_err(), "{body}");
        }
        assert!(check(b"a=\xff", true).is_err() && check(b"\"\xff\"", false).is_err());
    }

    #[test]
    fn d04_only_brackets_outside_strings_count_as_nesting() {
        let nested = |depth: usize| format!("{{\"x\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(!is_too_deep(nested(63).as_bytes()));
        assert!(is_too_deep(nested(64).as_bytes()));
        assert!(!is_too_deep(format!("{{\"x\":\"{}\"}}", "[\\\"{".repeat(1_000)).as_bytes()));
        assert!(!is_too_deep("[]".repeat(1_000).as_bytes()));
    }
}
