//! What a provider says about itself (OpenID Connect Discovery), as far as it is used here, with its keys.
//!
//! Only what is used is read, so that nothing else in the document can keep people out.

use openidconnect::{
    HttpResponse,
    http::{HeaderMap, StatusCode, header},
    url::Url,
};
use serde_json::{Map, Value};

use super::{
    fault::{ProviderError, Setup},
    fetch::Inquiry,
    jwt::{Keys, is_usable},
};
use crate::server::egress::is_safe;

/// What a provider says about itself.
#[derive(Debug)]
pub(super) struct Metadata {
    /// Where people are sent.
    pub authorization: Url,
    /// Where a code becomes a token.
    pub token: Url,
    /// Where more is said of whom a token is about, where there is such a place.
    pub userinfo: Option<Url>,
    /// Where its keys are.
    pub keys: Url,
    /// Whether it can read the secret in a header.
    pub takes_basic: bool,
}

impl Metadata {
    /// Asks a provider about itself.
    pub async fn ask(inquiry: &Inquiry<'_>, issuer: &str) -> Result<Self, ProviderError> {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let answer = inquiry.get(&address, None).await?;
        let setup = |what: String| Setup::Discovery(what);
        let text = succeeded(&answer).map_err(|problem| problem.or(setup))?;
        let said: Map<String, Value> = serde_json::from_slice(text)
            .map_err(|_| setup(format!("it is not JSON but {}", kind_of(answer.headers()))))?;
        Self::read(&said, issuer)
    }

    fn read(said: &Map<String, Value>, issuer: &str) -> Result<Self, ProviderError> {
        let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let missing = |name: &str| Setup::Discovery(format!("it says no `{name}`"));
        let given = text("issuer").ok_or_else(|| missing("issuer"))?;
        if given != issuer {
            let (given, configured) = (given.chars().take(200).collect(), issuer.to_owned());
            return Err(Setup::Issuer { given, configured }.into());
        }
        let address = |name: &'static str| -> Result<Url, Setup> {
            let text = text(name).ok_or_else(|| missing(name))?;
            let address: Url = text.parse().map_err(|_| Setup::Discovery(format!("`{name}` is not an address")))?;
            // A provider elsewhere must not send us, and our secret, to a service on this machine.
            let is_alike = address.scheme() == "https" || issuer.starts_with("http://");
            if is_safe(&address) && is_alike { Ok(address) } else { Err(Setup::Insecure(name)) }
        };
        let methods = said.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        Ok(Self {
            authorization: address("authorization_endpoint")?,
            token: address("token_endpoint")?,
            userinfo: text("userinfo_endpoint").map(|_| address("userinfo_endpoint")).transpose()?,
            keys: address("jwks_uri")?,
            takes_basic: methods.is_none_or(|methods| methods.iter().any(|method| method == "client_secret_basic")),
        })
    }

    /// Asks for the keys.
    pub async fn ask_keys(&self, inquiry: &Inquiry<'_>) -> Result<Keys, ProviderError> {
        let answer = inquiry.get(self.keys.as_str(), None).await?;
        let setup = |what: String| Setup::Discovery(format!("the key set: {what}"));
        let text = succeeded(&answer).map_err(|problem| problem.or(setup))?;
        let keys: Keys = serde_json::from_slice(text)
            .map_err(|_| setup(format!("it is not a key set but {}", kind_of(answer.headers()))))?;
        if is_usable(&keys) { Ok(keys) } else { Err(Setup::NoKeys.into()) }
    }
}

/// An answer that is none.
pub(super) enum Problem {
    /// The provider is in trouble.
    Passing(StatusCode),
    /// It will say the same again.
    Lasting(StatusCode),
}

impl Problem {
    /// The error, where what will not pass is of this kind.
    pub fn or(self, lasting: impl FnOnce(String) -> Setup) -> ProviderError {
        match self {
            Self::Passing(status) => ProviderError::Unavailable(format!("the provider answers {status}")),
            Self::Lasting(status) => lasting(format!("the provider answers {status}")).into(),
        }
    }
}

/// The body of an answer that has one.
pub(super) fn succeeded(answer: &HttpResponse) -> Result<&[u8], Problem> {
    match answer.status() {
        status if status.is_success() => Ok(answer.body()),
        status if is_passing(status) => Err(Problem::Passing(status)),
        status => Err(Problem::Lasting(status)),
    }
}

/// Whether the same request may well be answered later.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// What an answer says it is, short and plain.
fn kind_of(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "" => "something without a Content-Type".to_owned(),
        kind => kind.chars().take(60).collect(),
    }
}
