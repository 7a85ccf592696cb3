//! Bodies of answers, never more of them than was asked for. The caller bounds the time.

use reqwest::Response;

use super::error::EgressError;

/// A whole body.
///
/// # Errors
/// `TooLarge` where it is larger than `limit` bytes; `Lost` or `Garbled` where its end does not come.
pub async fn read_whole(mut response: Response, limit: usize) -> Result<Vec<u8>, EgressError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Err(EgressError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The first `limit` bytes of a body, or as many as come.
pub async fn read_beginning(mut response: Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
        if body.len() == limit {
            break;
        }
    }
    body
}
