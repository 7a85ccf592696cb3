//! For those who watch over the server.

use std::sync::Arc;

use axum::{Router, http::StatusCode, routing::get};
use futures::future::BoxFuture;

/// Says whether the server can do its work now: whether the database answers.
pub type Readiness = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// `/health/live`: the process runs. `/health/ready`: it can do its work; says nothing more.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(ready: Readiness) -> Router<S> {
    let ready = move || async move {
        if ready().await { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") }
    };
    Router::new().route("/health/live", get(async || "ok")).route("/health/ready", get(ready))
}
