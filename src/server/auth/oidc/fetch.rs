//! How providers are asked: no redirects, bounded in size, over https or on this machine.

use openidconnect::{HttpRequest, HttpResponse, url::Url};
use reqwest::{Client, Request};

use super::fault::{ProviderError, Setup};

/// How much of an answer is read, in bytes.
const ANSWER_BYTES: usize = 1_000_000;

/// Why a provider could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// It does not answer.
    #[error("the provider cannot be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// It names an address that nobody may listen in on, but anybody could.
    #[error("the provider names an address that is not https")]
    Insecure,
    /// It says more than anybody needs to know.
    #[error("the provider's answer is too large")]
    TooLarge,
    /// Its answer cannot be put together.
    #[error("the provider's answer is broken: {0}")]
    Broken(#[from] axum::http::Error),
}

impl From<FetchError> for ProviderError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Unreachable(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                // Without the address, which may hold more than the provider's name.
                Self::Unavailable(format!("the provider cannot be reached: {}{cause}", error.without_url()))
            }
            FetchError::Insecure => Setup::Insecure("one of its endpoints").into(),
            FetchError::TooLarge | FetchError::Broken(_) => Setup::Discovery(error.to_string()).into(),
        }
    }
}

/// Whether an address is such that nobody in between can read along: https, or this machine.
pub(super) fn is_safe(url: &Url) -> bool {
    use openidconnect::url::Host;
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

/// Asks a provider. The caller bounds the time.
pub(super) async fn fetch(client: Client, request: HttpRequest) -> Result<HttpResponse, FetchError> {
    let request = Request::try_from(request)?;
    if !is_safe(request.url()) {
        return Err(FetchError::Insecure);
    }
    let mut response = client.execute(request).await?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let mut answer = axum::http::Response::builder().status(status).body(body)?;
    *answer.headers_mut() = headers;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for (address, safe) in [
            ("https://a.example/x", true),
            ("http://127.0.0.1:9000/", true),
            ("http://[::1]/", true),
            ("http://localhost:9000/", true),
            ("http://a.example/", false),
            ("http://10.0.0.1/", false),
            ("http://localhost.a.example/", false),
            ("ftp://127.0.0.1/", false),
        ] {
            assert_eq!(is_safe(&address.parse().expect("a URL")), safe, "{address}");
        }
    }
}
