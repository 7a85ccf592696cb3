//! Request bodies with a size limit and a timeout.
//!
//! The timeout of `tower-http` is for each frame, so a client that sends a byte now and then would never exceed it. This
//! one is for the whole body.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH},
    },
    response::Response,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Sleep;

use super::refusal::refuse_request;
use crate::i18n::Reason;

/// A body that fails with an error when it exceeds the size limit or the timeout.
pub(super) struct BoundedBody {
    body: Limited<Body>,
    time: Duration,
    // Starts with the first pending poll, so that a body that is already buffered needs no timer.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// The body did not arrive within the timeout.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive in time")]
struct BodyTimeout;

impl BoundedBody {
    pub fn new(body: Body, bytes: usize, time: Duration) -> Self {
        Self { body: Limited::new(body, bytes), time, deadline: None }
    }
}

impl HttpBody for BoundedBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        let time = self.time;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        deadline.as_mut().poll(cx).map(|()| Some(Err(BodyTimeout.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Rejects a body by its headers, before any of it is read.
pub(super) fn check_headers(headers: &HeaderMap, max_bytes: usize) -> Result<(), Box<Response>> {
    let encoding = headers.get_all(CONTENT_ENCODING).iter().any(|encoding| encoding.as_bytes() != b"identity");
    if encoding {
        return Err(Box::new(refuse_request(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason!("request_compressed"))));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > max_bytes as u64) {
        return Err(Box::new(too_large()));
    }
    Ok(())
}

/// Reads the whole body, or returns the response that rejects it.
pub(super) async fn read(body: Body) -> Result<Bytes, Box<Response>> {
    body.collect().await.map(|body| body.to_bytes()).map_err(|error| Box::new(refusal(&error)))
}

fn refusal(error: &(dyn Error + 'static)) -> Response {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return too_large();
        }
        if error.is::<BodyTimeout>() {
            return refuse_and_close(StatusCode::REQUEST_TIMEOUT, reason!("request_late"));
        }
        cause = error.source();
    }
    refuse_and_close(StatusCode::BAD_REQUEST, reason!("request_broken_off"))
}

/// The response to a body over the size limit.
pub(super) fn too_large() -> Response {
    refuse_and_close(StatusCode::PAYLOAD_TOO_LARGE, reason!("request_too_large"))
}

/// The rest of the body is not read, so the connection cannot be reused.
fn refuse_and_close(status: StatusCode, reason: Reason) -> Response {
    let mut response = refuse_request(status, reason);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures::{StreamExt, stream};

    use super::*;

    async fn status(parts: impl futures::Stream<Item = io::Result<&'static str>> + Send + 'static) -> u16 {
        let body = Body::new(BoundedBody::new(Body::from_stream(parts), 10, Duration::from_millis(50)));
        read(body).await.map_or_else(|refusal| refusal.status().as_u16(), |_| 200)
    }

    #[tokio::test]
    async fn d01_a_body_is_bounded_in_size_and_time() {
        assert_eq!(status(stream::iter([Ok("12345"), Ok("67890")])).await, 200);
        assert_eq!(status(stream::iter([Ok("12345"), Ok("678901")])).await, 413);
        assert_eq!(status(stream::pending()).await, 408);
        // Sending one byte at a time does not extend the timeout.
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok("x"), ()))
        });
        assert_eq!(status(drip.take(9)).await, 408);
        assert_eq!(status(stream::iter([Ok("1"), Err(io::Error::other("gone"))])).await, 400);
    }
}
