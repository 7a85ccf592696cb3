//! Renders the short pages for visitors who are not signed in once, and reuses them with a new nonce.
//!
//! Everyone can request these pages as often as they like, and they are the same for everyone who has the same [`Key`].

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_SECURITY_POLICY, SET_COOKIE},
    },
    middleware::Next,
    response::Response,
};
use leptos::nonce::Nonce;
use tokio::sync::RwLock;

use super::{
    guard::RequestHost,
    refusal::{language_in, refuse_fault},
};
use crate::{
    domain::{Appearance, SignUpPolicy},
    server::{
        auth::Caller,
        cookies::{FORM_VALUES, INBOX, PASSKEY_USED, SESSION, find_appearance},
        fault::Fault,
        state::AppState,
    },
};

/// The pages, when they are requested without a query.
const PATHS: [&str; 4] = ["/sign-in", "/sign-up", "/forgot-password", "/check-inbox"];
/// No page is larger. In bytes.
const MAX_BYTES: usize = 1 << 20;

/// What a request says about the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Visit {
    path: &'static str,
    language: &'static str,
    passkeys: bool,
    passkey_used: bool,
    appearance: Appearance,
}

/// Everything that such a page depends on, apart from its nonce and the configuration.
type Key = (Visit, SignUpPolicy);

/// A page without its nonce.
#[derive(Debug)]
struct Template {
    headers: HeaderMap,
    csp: Vec<String>,
    html: Vec<String>,
}

/// The pages that were rendered since the start. There are at most as many as there are keys.
#[derive(Clone)]
pub(super) struct VisitorPages {
    state: AppState,
    templates: Arc<RwLock<HashMap<Key, Arc<Template>>>>,
}

impl VisitorPages {
    pub fn new(state: &AppState) -> Self {
        Self { state: state.clone(), templates: Arc::default() }
    }
}

/// The middleware function around pages. It must be inside of the layers that find out the caller and the language.
pub(super) async fn reuse_page(State(pages): State<VisitorPages>, request: Request, next: Next) -> Response {
    let Some(visit) = Visit::of(&pages.state, &request) else { return next.run(request).await };
    let key = match pages.state.accounts.sign_up_policy().await {
        Ok(policy) => (visit, policy),
        Err(fault) => return refuse_fault(fault, request.extensions()),
    };
    let template = pages.templates.read().await.get(&key).cloned();
    if let Some(template) = template {
        return template.fill();
    }
    let extensions = request.extensions().clone();
    let response = next.run(request).await;
    if response.status() != StatusCode::OK || response.headers().contains_key(SET_COOKIE) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let html = match to_bytes(body, MAX_BYTES).await {
        Ok(html) => html,
        Err(error) => return refuse_fault(Fault::Internal(error.into()), &extensions),
    };
    if let Some(template) = Template::new(&parts.headers, &html) {
        pages.templates.write().await.insert(key, Arc::new(template));
    }
    Response::from_parts(parts, Body::from(html))
}

impl Visit {
    /// `None` if the answer may depend on anything else.
    fn of(state: &AppState, request: &Request) -> Option<Self> {
        let (uri, headers, extensions) = (request.uri(), request.headers(), request.extensions());
        let https = state.config.is_https();
        let has_state = extensions.get::<Caller>().is_some()
            || SESSION.find(headers, https).is_some()
            || [FORM_VALUES, INBOX].into_iter().any(|cookie| cookie.find(headers, https).is_some());
        if *request.method() != Method::GET || uri.query().is_some() || has_state {
            return None;
        }
        let path = PATHS.into_iter().find(|path| uri.path() == *path)?;
        let host = extensions.get::<RequestHost>().map(|host| host.0.as_str()).unwrap_or_default();
        let passkeys = state.factors.passkeys_available_at(host);
        let appearance = find_appearance(headers, https);
        let passkey_used = PASSKEY_USED.find(headers, https).is_some();
        Some(Self { path, language: language_in(extensions).tag(), passkeys, passkey_used, appearance })
    }
}

impl Template {
    /// `None` if the page has no nonce.
    fn new(headers: &HeaderMap, html: &[u8]) -> Option<Self> {
        let csp = headers.get(CONTENT_SECURITY_POLICY)?.to_str().ok()?;
        let nonce = csp.split_once("'nonce-")?.1.split_once('\'')?.0;
        let pieces = |text: &str| text.split(nonce).map(str::to_owned).collect();
        let (csp, html) = (pieces(csp), pieces(std::str::from_utf8(html).ok()?));
        let mut headers = headers.clone();
        headers.remove(CONTENT_SECURITY_POLICY);
        headers.remove(CONTENT_LENGTH);
        Some(Self { headers, csp, html })
    }

    /// The page with a nonce of its own.
    fn fill(&self) -> Response {
        let nonce = Nonce::new().to_string();
        let mut response = Response::new(Body::from(self.html.join(&nonce)));
        *response.headers_mut() = self.headers.clone();
        if let Ok(csp) = HeaderValue::try_from(self.csp.join(&nonce)) {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, csp);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reused_page_differs_only_in_its_nonce() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("script-src 'nonce-abc_1' 'strict-dynamic'"));
        headers.insert("content-language", HeaderValue::from_static("en-GB"));
        let html = "<script nonce=\"abc_1\"></script><p>abc</p><script nonce=\"abc_1\"></script>";
        let template = Template::new(&headers, html.as_bytes()).expect("a page with a nonce");
        let mut nonces = Vec::new();
        for _ in 0..2 {
            let response = template.fill();
            let policy = response.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
            let nonce =
                policy.split('\'').nth(1).and_then(|nonce| nonce.strip_prefix("nonce-")).expect("a nonce").to_owned();
            assert_eq!(policy.replace(&nonce, "abc_1"), "script-src 'nonce-abc_1' 'strict-dynamic'");
            assert_eq!(response.headers()["content-language"], "en-GB");
            let body = to_bytes(response.into_body(), MAX_BYTES).await.expect("a page");
            assert_eq!(String::from_utf8_lossy(&body).replace(&nonce, "abc_1"), html);
            nonces.push(nonce);
        }
        assert_ne!(nonces[0], nonces[1]);
        assert!(Template::new(&HeaderMap::new(), html.as_bytes()).is_none(), "a page without a policy is not reused");
    }
}
