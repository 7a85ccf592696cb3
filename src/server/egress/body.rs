//! Reads response bodies up to a limit. The caller sets the timeout.

use reqwest::Response;

use super::error::EgressError;

/// Reads a whole body.
///
/// # Errors
/// `TooLarge` if it is larger than `limit` bytes; `ConnectionLost` or `InvalidResponse` if it does not arrive
/// completely.
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

/// Reads the first `limit` bytes of a body, or fewer if it ends or fails before.
pub async fn read_prefix(mut response: Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
        if body.len() == limit {
            break;
        }
    }
    body
}
