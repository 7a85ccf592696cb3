//! Provider metadata (OpenID Connect Discovery) and the key set.
//!
//! Only the fields in use are parsed, so that an odd value elsewhere in the document does not prevent sign-in.

use openidconnect::{
    HttpResponse,
    http::{HeaderMap, StatusCode, header},
    url::Url,
};
use serde_json::{Map, Value};

use super::{
    client::ProviderClient,
    error::{ProviderError, SetupError},
    jwt::{Keys, has_usable_key},
};
use crate::server::egress::is_secure_url;

/// The provider metadata.
#[derive(Debug)]
pub(super) struct Metadata {
    /// The authorization endpoint.
    pub authorization: Url,
    /// The token endpoint.
    pub token: Url,
    /// The userinfo endpoint, if there is one.
    pub userinfo: Option<Url>,
    /// The URL of the key set (JWKS).
    pub keys: Url,
    /// Whether the token endpoint accepts the client secret in a header (`client_secret_basic`).
    pub supports_basic_auth: bool,
}

impl Metadata {
    /// Fetches the discovery document.
    pub async fn fetch(client: &ProviderClient<'_>, issuer: &str) -> Result<Self, ProviderError> {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let response = client.get(&address, None).await?;
        let setup = |what: String| SetupError::Discovery(what);
        let text = success_body(&response).map_err(|error| error.into_provider_error(setup))?;
        let document: Map<String, Value> = serde_json::from_slice(text)
            .map_err(|_| setup(format!("it is not JSON but {}", content_type(response.headers()))))?;
        Self::parse(&document, issuer)
    }

    fn parse(document: &Map<String, Value>, issuer: &str) -> Result<Self, ProviderError> {
        let text = |name: &str| document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let missing = |name: &str| SetupError::Discovery(format!("it has no `{name}`"));
        let given = text("issuer").ok_or_else(|| missing("issuer"))?;
        if given != issuer {
            let (given, configured) = (given.chars().take(200).collect(), issuer.to_owned());
            return Err(SetupError::Issuer { given, configured }.into());
        }
        let address = |name: &'static str| -> Result<Url, SetupError> {
            let text = text(name).ok_or_else(|| missing(name))?;
            let address: Url =
                text.parse().map_err(|_| SetupError::Discovery(format!("`{name}` is not an address")))?;
            // Otherwise a remote provider could direct us, and our client secret, to a service on this machine.
            let is_scheme_allowed = address.scheme() == "https" || issuer.starts_with("http://");
            if is_secure_url(&address) && is_scheme_allowed { Ok(address) } else { Err(SetupError::Insecure(name)) }
        };
        let methods = document.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        Ok(Self {
            authorization: address("authorization_endpoint")?,
            token: address("token_endpoint")?,
            userinfo: text("userinfo_endpoint").map(|_| address("userinfo_endpoint")).transpose()?,
            keys: address("jwks_uri")?,
            supports_basic_auth: methods
                .is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic")),
        })
    }

    /// Fetches the key set.
    pub async fn fetch_keys(&self, client: &ProviderClient<'_>) -> Result<Keys, ProviderError> {
        let response = client.get(self.keys.as_str(), None).await?;
        let setup = |what: String| SetupError::Discovery(format!("the key set: {what}"));
        let text = success_body(&response).map_err(|error| error.into_provider_error(setup))?;
        let keys: Keys = serde_json::from_slice(text)
            .map_err(|_| setup(format!("it is not a key set but {}", content_type(response.headers()))))?;
        if has_usable_key(&keys) { Ok(keys) } else { Err(SetupError::NoKeys.into()) }
    }
}

/// A response with an error status.
pub(super) enum ResponseError {
    /// The same request may succeed later.
    Transient(StatusCode),
    /// The same request will fail again.
    Permanent(StatusCode),
}

impl ResponseError {
    /// Converts it into an error; `permanent` builds the one for a permanent failure.
    pub fn into_provider_error(self, permanent: impl FnOnce(String) -> SetupError) -> ProviderError {
        match self {
            Self::Transient(status) => ProviderError::Unavailable(format!("the provider returned {status}")),
            Self::Permanent(status) => permanent(format!("the provider returned {status}")).into(),
        }
    }
}

/// The body of a successful response.
pub(super) fn success_body(response: &HttpResponse) -> Result<&[u8], ResponseError> {
    match response.status() {
        status if status.is_success() => Ok(response.body()),
        status if is_transient(status) => Err(ResponseError::Transient(status)),
        status => Err(ResponseError::Permanent(status)),
    }
}

/// Whether the same request may succeed later.
fn is_transient(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// The content type of a response, shortened, for error messages.
fn content_type(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "" => "something without a Content-Type".to_owned(),
        kind => kind.chars().take(60).collect(),
    }
}
