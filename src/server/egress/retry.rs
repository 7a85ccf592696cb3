//! Another try, where it does no harm: after a connection that could not be made, because nothing was sent; and for a GET
//! also after an answer that never came, or one that asks to come again.

use std::time::Duration;

use reqwest::{Client, Method, Request, Response, StatusCode, header::RETRY_AFTER};
use tokio::time::{Instant, sleep};

use super::error::{EgressError, find_cause};

/// The longest pause that a host may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(2);

/// Sends a request, and again after each of `pauses` where that does no harm and there is time before `until`.
pub(super) async fn send(
    client: &Client,
    request: Request,
    pauses: &[Duration],
    until: Instant,
) -> reqwest::Result<Response> {
    for usual in pauses {
        // A body is bytes in memory, which the copy shares.
        let Some(copy) = request.try_clone() else { break };
        let result = client.execute(copy).await;
        match pause_after(request.method(), &result, *usual) {
            Some(pause) if Instant::now() + pause < until => {
                // What it holds of a connection is not needed while waiting.
                drop(result);
                sleep(pause).await;
            }
            _ => return result,
        }
    }
    client.execute(request).await
}

/// How long to wait before another try; none where there is to be none.
fn pause_after(method: &Method, result: &reqwest::Result<Response>, usual: Duration) -> Option<Duration> {
    let jittered = || usual.mul_f64(rand::random_range(0.5..1.5));
    match result {
        // Whoever has waited for a connection has waited long enough, and what is forbidden stays so.
        Err(error) if error.is_connect() => {
            (!error.is_timeout() && find_cause::<EgressError>(error).is_none()).then(jittered)
        }
        Err(error) => (method == Method::GET && error.is_request()).then(jittered),
        Ok(response) if method == Method::GET => match (response.status(), asked_pause(response)) {
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(asked)) => {
                (asked <= LONGEST_ASKED).then(|| asked.max(jittered()))
            }
            (StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT, _) => {
                Some(jittered())
            }
            _ => None,
        },
        Ok(_) => None,
    }
}

/// The pause that a host asks for. One that names a date asks for more than we would wait.
fn asked_pause(response: &Response) -> Option<Duration> {
    let asked = response.headers().get(RETRY_AFTER)?;
    let seconds = asked.to_str().ok().and_then(|text| text.trim().parse().ok());
    Some(seconds.map_or(Duration::MAX, Duration::from_secs))
}
