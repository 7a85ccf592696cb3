//! `POST /audit/export`: downloads the audit log as JSON Lines. It is a form and not a link because the export itself
//! is recorded in the audit log.

use axum::{
    Form, Router,
    body::{Body, Bytes},
    extract::{State, rejection::FormRejection},
    http::{
        Extensions, HeaderMap,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use futures::stream::try_unfold;

use super::{
    access_log::accepts_html,
    policy::routes_for,
    refusal::{language_in, refuse, refuse_fault, refuse_request, show_as_page},
};
use crate::{
    domain::{AppError, AuditQuery},
    server::{access::Access, audit::RequestMeta, auth::Caller, state::AppState},
};

/// The route.
pub(super) fn routes(state: &AppState) -> Router<AppState> {
    let route = Router::new().route("/audit/export", post(export));
    routes_for(Access::RecentlyAuthenticatedAdministrator, state, route)
}

async fn export(
    State(state): State<AppState>,
    extensions: Extensions,
    headers: HeaderMap,
    form: Result<Form<AuditQuery>, FormRejection>,
) -> Response {
    let mut response = match form {
        Ok(Form(query)) => stream_export(state, &extensions, &headers, &query).await,
        Err(rejection) => refuse_request(rejection.status(), reason!("form_expected")),
    };
    if !response.status().is_success() && accepts_html(&headers) {
        show_as_page(&mut response, language_in(&extensions));
    }
    response
}

async fn stream_export(state: AppState, extensions: &Extensions, headers: &HeaderMap, query: &AuditQuery) -> Response {
    let Some(caller) = extensions.get::<Caller>() else { return refuse(AppError::Unauthenticated) };
    let meta = RequestMeta::from_request(extensions, headers);
    let export = match state.people.export_audit(caller, query, &meta).await {
        Ok(export) => export,
        Err(fault) => return refuse_fault(fault, extensions),
    };
    let seconds = state.clock.now().micros().div_euclid(1_000_000);
    let day = time::OffsetDateTime::from_unix_timestamp(seconds).map(time::OffsetDateTime::date);
    let day = day.map(|day| day.to_string()).unwrap_or_default();
    let name = format!("attachment; filename=\"audit-{day}.jsonl\"");
    // Only one batch is in memory: the next one is read after the previous one was sent.
    let lines = try_unfold((state.people.clone(), export), async |(people, mut export)| {
        let lines = people.next_lines(&mut export).await.map_err(|fault| {
            tracing::error!(%fault, "the audit export failed");
            std::io::Error::other("the export failed")
        })?;
        Ok::<_, std::io::Error>(lines.map(|lines| (Bytes::from(lines), (people, export))))
    });
    let headers = [(CONTENT_TYPE, "application/jsonl; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(lines)).into_response()
}
