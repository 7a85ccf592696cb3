//! `GET /settings/data/{id}`: downloads a user's data export.

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{
        Extensions, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use futures::stream;

use super::{
    access_log::accepts_html,
    policy::routes_for,
    refusal::{language_in, refuse, refuse_fault, show_as_page},
};
use crate::{
    domain::{AppError, ExportId},
    server::{access::Access, audit::RequestMeta, auth::Caller, state::AppState},
};

/// The route.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let route = Router::new().route("/settings/data/{id}", get(download));
    routes_for(Access::RecentlyAuthenticated, state, route)
}

async fn download(State(state): State<AppState>, Path(id): Path<String>, request: Request) -> Response {
    // The body is not `Sync`, so it must not be held across an `.await`.
    let (parts, _) = request.into_parts();
    let meta = RequestMeta::from_request(&parts.extensions, &parts.headers);
    let mut response = find(state, &id, &parts.extensions, &meta).await;
    if accepts_html(&parts.headers) {
        show_as_page(&mut response, language_in(&parts.extensions));
    }
    response
}

async fn find(state: AppState, id: &str, extensions: &Extensions, meta: &RequestMeta) -> Response {
    let Some(caller) = extensions.get::<Caller>().cloned() else { return refuse(AppError::Unauthenticated) };
    let Ok(id) = id.parse::<ExportId>() else { return refuse(AppError::NotFound) };
    let export = match state.exports.open(&caller, id, meta).await {
        Ok(export) => export,
        Err(fault) => return refuse_fault(fault, extensions),
    };
    let exports = state.exports.clone();
    // A chunk that cannot be read aborts the connection, so that a truncated file is not taken for a complete one.
    let chunks = stream::try_unfold(0, move |position| {
        let (exports, caller) = (exports.clone(), caller.clone());
        async move {
            let chunk = exports.read_chunk(&caller, id, position).await?;
            Ok::<_, crate::server::fault::Fault>(chunk.map(|chunk| (chunk, position + 1)))
        }
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"colloquy-data.zip\"")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONTENT_LENGTH, HeaderValue::from(export.bytes)),
    ];
    (headers, Body::from_stream(chunks)).into_response()
}
