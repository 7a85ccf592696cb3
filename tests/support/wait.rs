//! Waiting for an event. The bound only keeps a failed test from hanging; no test depends on how fast something is.

use std::{future::Future, time::Duration};

/// The longest wait.
pub const MAX_WAIT: Duration = Duration::from_secs(30);
/// The time between two looks at a condition.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Waits until a condition is true.
pub async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let polling = async {
        while !is_so().await {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(MAX_WAIT, polling).await.unwrap_or_else(|_| panic!("timed out waiting until {what}"));
}

/// Waits until there is a value, and returns it.
pub async fn wait_for<T>(what: &str, mut find: impl AsyncFnMut() -> Option<T>) -> T {
    let mut found = None;
    wait_until(what, async || {
        found = find().await;
        found.is_some()
    })
    .await;
    found.expect("the wait ends with a value")
}

/// The output of a future that must not hang.
pub async fn finish<F: Future>(what: &str, future: F) -> F::Output {
    tokio::time::timeout(MAX_WAIT, future).await.unwrap_or_else(|_| panic!("timed out waiting for {what}"))
}
