//! Profile pictures: `POST /settings/picture` uploads one, `GET /people/{id}/picture` serves it to signed-in users.

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{
        Extensions, HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION},
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use multer::Multipart;

use super::{
    access_log::accepts_html,
    body,
    policy::routes_for,
    refusal::{language_in, refuse, refuse_fault, refuse_request, show_as_page},
};
use crate::{
    domain::{AppError, UserId},
    server::{access::Access, audit::RequestMeta, auth::Caller, state::AppState},
};

/// The path of the upload form.
const PATH: &str = "/settings/picture";

/// The route that serves pictures.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    routes_for(Access::Person, state, Router::new().route("/people/{id}/picture", get(serve_picture)))
}

/// The route for uploads.
pub(super) fn uploads(state: &AppState) -> Router<AppState> {
    routes_for(Access::Person, state, Router::new().route(PATH, post(upload)))
}

async fn upload(State(state): State<AppState>, extensions: Extensions, headers: HeaderMap, body: Body) -> Response {
    let mut response = match store_picture(&state, &extensions, &headers, body).await {
        Ok(()) => (StatusCode::SEE_OTHER, [(LOCATION, "/settings?done=picture#picture")]).into_response(),
        Err(refusal) => *refusal,
    };
    if !response.status().is_redirection() && accepts_html(&headers) {
        show_as_page(&mut response, language_in(&extensions));
    }
    response
}

async fn store_picture(
    state: &AppState,
    extensions: &Extensions,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), Box<Response>> {
    let caller = extensions.get::<Caller>().ok_or_else(|| Box::new(refuse(AppError::Unauthenticated)))?;
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind)
        .map_err(|_| Box::new(refuse_request(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason!("picture_form_expected"))))?;
    // Reads the whole body first, within the limit of the guard, so that an oversized body gets the same response as
    // everywhere.
    let bytes = body::read(body).await?;
    let file = find_file(bytes, boundary)
        .await
        .ok_or_else(|| Box::new(refuse_request(StatusCode::BAD_REQUEST, reason!("picture_missing"))))?;
    let meta = RequestMeta::from_request(extensions, headers);
    let stored = state.profiles.change_picture(caller, file, &meta).await;
    stored.map_err(|fault| Box::new(refuse_fault(fault, extensions)))
}

/// Returns the file in the field `picture`.
async fn find_file(bytes: axum::body::Bytes, boundary: String) -> Option<Vec<u8>> {
    let whole = futures::stream::once(async { Ok::<_, std::io::Error>(bytes) });
    let mut form = Multipart::new(whole, boundary);
    while let Some(field) = form.next_field().await.ok()? {
        if field.name() == Some("picture") {
            return field.bytes().await.ok().map(|bytes| bytes.to_vec()).filter(|bytes| !bytes.is_empty());
        }
    }
    None
}

async fn serve_picture(
    State(state): State<AppState>,
    Path(id): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let Ok(user) = id.parse::<UserId>() else { return refuse(AppError::NotFound) };
    let (version, bytes) = match state.profiles.find_picture(user).await {
        Ok(Some(picture)) => picture,
        Ok(None) => return refuse(AppError::NotFound),
        Err(fault) => return refuse_fault(fault, &extensions),
    };
    let tag = format!("\"{version}\"");
    // The URL contains the version, so browsers may cache it.
    let caching = "private, max-age=604800";
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(ETAG, tag.as_str()), (CACHE_CONTROL, caching)]).into_response();
    }
    ([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, caching), (ETAG, tag.as_str())], bytes).into_response()
}
