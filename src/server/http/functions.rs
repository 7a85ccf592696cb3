//! `/api`: the server functions over HTTP.

use std::sync::Arc;

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
use server_fn::error::SERVER_FN_ERROR_HEADER;

use super::{
    body,
    gate::{RequestHost, Rules},
    refusal::{refuse, refuse_as, refuse_request},
};
use crate::{domain::AppError, server::state::AppState};

/// One route for each server function, so that the log can name it; all else below `/api` is not found.
/// Functions by GET would get around the check of the origin, so there are none.
pub(super) fn routes(state: &AppState, rules: &Arc<Rules>) -> Router<AppState> {
    let mut router = Router::new().route("/api/{*path}", any(async || refuse(AppError::NotFound)));
    for (path, method) in server_fn::axum::server_fn_paths() {
        assert_eq!(method, Method::POST, "the server function at {path} must be called by POST");
        let state = state.clone();
        let handler = move |State(rules): State<Arc<Rules>>, request| call(state, rules, request);
        router = router.route(path, post(handler).with_state(rules.clone()));
    }
    router
}

async fn call(state: AppState, rules: Arc<Rules>, mut request: Request) -> Response {
    if !is_known_form(request.headers()) {
        let reason = "Send a form (application/x-www-form-urlencoded) or JSON (application/json).";
        return refuse_request(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason);
    }
    match body::read(std::mem::take(request.body_mut())).await {
        Ok(bytes) => *request.body_mut() = Body::from(bytes),
        Err(refusal) => return *refusal,
    }
    let host = request.extensions().get::<RequestHost>().map(|host| host.0.clone()).unwrap_or_default();
    stay_here(request.headers_mut(), &rules, &host);

    let context = move || provide_context(state.clone());
    let response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    settle(response, &rules, &host).await
}

fn is_known_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    ["application/x-www-form-urlencoded", "application/json"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}

/// A plain form is answered by going back to where it came from, with the error in the address:
/// that must be a page of ours.
fn stay_here(headers: &mut HeaderMap, rules: &Rules, host: &str) {
    let Some(link) = headers.get(REFERER) else { return };
    let path = rules.site.local_path(host, link.to_str().unwrap_or_default());
    let base = format!("http://{host}");
    match HeaderValue::try_from(format!("{base}{path}")) {
        Ok(link) => headers.insert(REFERER, link),
        Err(_) => headers.remove(REFERER),
    };
}

/// Gives an error the status that fits it: the framework says 500 for all of them. Every place that an answer
/// sends the browser to becomes a path of this site.
async fn settle(mut response: Response, rules: &Rules, host: &str) -> Response {
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
    let mut settled = refuse_as(status, error);
    for (name, value) in &parts.headers {
        if name != axum::http::header::CONTENT_LENGTH && name != CONTENT_TYPE {
            settled.headers_mut().append(name.clone(), value.clone());
        }
    }
    settled
}
