//! Lets a request run in a task of its own, so that neither a panic nor a client that goes away does harm.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;

use super::refusal::refuse;
use crate::{domain::AppError, server::telemetry::RequestId};

/// How long a request may take to the head of its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(pub Duration);

/// The layer. A task that is over its deadline goes on: what it does may be half done, and is not cancelled.
pub(super) async fn catch_panic(State(deadline): State<Arc<Deadline>>, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().map(ToString::to_string).unwrap_or_default();
    let task = tokio::spawn(next.run(request).in_current_span());
    match tokio::time::timeout(deadline.0, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("the request ended in a panic");
            refuse(AppError::Internal { request_id })
        }
        Err(_) => {
            tracing::error!(seconds = deadline.0.as_secs(), "the request was not answered in time");
            refuse(AppError::unavailable(reason!("answer_late")))
        }
    }
}
