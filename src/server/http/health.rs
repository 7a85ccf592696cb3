//! For those who watch over the server.

use std::sync::Arc;

use axum::{Router, http::StatusCode, routing::get};
use futures::future::BoxFuture;

/// Says whether the server can do its work now, or what does not work.
pub type Readiness = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// `/health/live`: the process runs. `/health/ready`: it can do its work, or which part of it cannot; says nothing more.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(ready: Readiness) -> Router<S> {
    let ready = move || async move {
        match ready().await {
            Ok(()) => (StatusCode::OK, "ok".to_owned()),
            Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}")),
        }
    };
    Router::new().route("/health/live", get(async || "ok")).route("/health/ready", get(ready))
}
