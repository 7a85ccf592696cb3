//! Retries where that is safe: after a failed connection, because nothing was sent; and for a GET also after a lost
//! response, or a response that asks to retry later.

use std::time::Duration;

use reqwest::{Client, Method, Request, Response, StatusCode, header::RETRY_AFTER};
use tokio::time::{Instant, sleep};

use super::error::{EgressError, find_cause};

/// The longest `Retry-After` that is followed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(2);

/// Sends a request, and retries it after each of `backoff` if that is safe and there is time before `until`.
pub(super) async fn send(
    client: &Client,
    request: Request,
    backoff: &[Duration],
    until: Instant,
) -> reqwest::Result<Response> {
    for default_delay in backoff {
        // Cheap: the body is shared bytes in memory.
        let Some(copy) = request.try_clone() else { break };
        let result = client.execute(copy).await;
        match retry_delay(request.method(), &result, *default_delay) {
            Some(delay) if Instant::now() + delay < until => {
                // Release the connection while waiting.
                drop(result);
                sleep(delay).await;
            }
            _ => return result,
        }
    }
    client.execute(request).await
}

/// The delay before the next attempt; `None` if the request must not be retried.
fn retry_delay(method: &Method, result: &reqwest::Result<Response>, default_delay: Duration) -> Option<Duration> {
    let jittered = || default_delay.mul_f64(rand::random_range(0.5..1.5));
    match result {
        // A connection timeout is not retried: it took long already. A forbidden address stays forbidden.
        Err(error) if error.is_connect() => {
            (!error.is_timeout() && find_cause::<EgressError>(error).is_none()).then(jittered)
        }
        Err(error) => (method == Method::GET && error.is_request()).then(jittered),
        Ok(response) if method == Method::GET => match (response.status(), retry_after(response)) {
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(requested)) => {
                (requested <= MAX_RETRY_AFTER).then(|| requested.max(jittered()))
            }
            (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT, _) => {
                Some(jittered())
            }
            _ => None,
        },
        Ok(_) => None,
    }
}

/// The delay that a host requests with `Retry-After`. A date counts as longer than we would wait.
fn retry_after(response: &Response) -> Option<Duration> {
    let requested = response.headers().get(RETRY_AFTER)?;
    let seconds = requested.to_str().ok().and_then(|text| text.trim().parse().ok());
    Some(seconds.map_or(Duration::MAX, Duration::from_secs))
}
