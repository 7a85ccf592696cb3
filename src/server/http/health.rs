//! Health checks for monitoring.

use std::sync::Arc;

use axum::{Router, http::StatusCode, routing::get};
use futures::future::BoxFuture;

/// Checks whether the server can serve requests now; the error tells what does not work.
pub type Readiness = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// `/health/live`: the process runs. `/health/ready`: it can serve requests, or the part that cannot. Reveals nothing
/// else.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(ready: Readiness) -> Router<S> {
    let ready = move || async move {
        match ready().await {
            Ok(()) => (StatusCode::OK, "ok".to_owned()),
            Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}")),
        }
    };
    Router::new().route("/health/live", get(async || "ok")).route("/health/ready", get(ready))
}
