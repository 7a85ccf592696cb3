//! Runs each request in a task of its own: a panic becomes a 500 response, and a request is not cancelled when its
//! client disconnects.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;

use super::refusal::refuse;
use crate::{domain::AppError, server::telemetry::RequestId};

/// The time until a request must have produced its response head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(pub Duration);

/// The middleware function. A task that exceeds the deadline keeps running: cancelling it could leave work half done.
pub(super) async fn catch_panic(State(deadline): State<Arc<Deadline>>, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let task = tokio::spawn(next.run(request).in_current_span());
    match tokio::time::timeout(deadline.0, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("the request handler panicked");
            refuse(AppError::Internal { request_id })
        }
        Err(_) => {
            tracing::error!(seconds = deadline.0.as_secs(), "the request timed out");
            refuse(AppError::unavailable(reason!("answer_late")))
        }
    }
}
