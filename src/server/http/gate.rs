//! Refuses what cannot be meant well, before anything else runs.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{ALLOW, CONTENT_ENCODING, CONTENT_LENGTH},
    },
    middleware::Next,
    response::Response,
};

use super::{
    address::{Connected, Source, source},
    body::Bounded,
    origin::Site,
    percent, picture,
    refusal::{refuse, refuse_request},
};
use crate::{
    domain::{AppError, limits},
    server::{
        audit::{ClientAddress, HiddenAddress},
        config::Config,
    },
};

/// The longest path with its query, in bytes.
const TARGET_BYTES: usize = 8_192;

/// What the gate needs to know.
#[derive(Debug)]
pub(super) struct Rules {
    pub site: Site,
    config: Arc<Config>,
    body_time: Duration,
}

impl Rules {
    pub fn new(config: Arc<Config>, body_time: Duration) -> Self {
        Self { site: Site::new(&config), config, body_time }
    }
}

/// The host that a request is for, as the gate let it through. An extension of all requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHost(pub String);

/// The layer.
pub(super) async fn gate(State(rules): State<Arc<Rules>>, mut request: Request, next: Next) -> Response {
    match check(&rules, &mut request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => *refusal,
    }
}

fn check(rules: &Rules, request: &mut Request) -> Result<(), Box<Response>> {
    let method = request.method();
    if !matches!(*method, Method::GET | Method::HEAD | Method::POST) {
        let mut refusal = refuse_request(StatusCode::METHOD_NOT_ALLOWED, "This method is not served.");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        return Err(Box::new(refusal));
    }
    let ends = request.extensions().get::<Connected>().copied();
    let host = rules.site.host(request.uri(), request.headers(), ends);
    let host = host.map_err(|(status, reason)| refuse_request(status, reason))?;
    check_target(request)?;
    let from = ends.map(|ends| source(ends.peer.ip(), request.headers(), &rules.config.trusted_proxies));
    if *method == Method::POST {
        if !rules.site.is_own_page(&host, request.headers()) {
            return Err(Box::new(refuse(AppError::Forbidden)));
        }
        let most = if request.uri().path() == picture::PATH { limits::PICTURE_BYTES } else { limits::BODY_BYTES };
        check_body(request.headers(), most)?;
        let body = std::mem::take(request.body_mut());
        *request.body_mut() = Body::new(Bounded::new(body, most, rules.body_time));
    }
    request.extensions_mut().insert(from.map_or_else(ClientAddress::default, |from| from.address));
    if let Some(Source { is_hidden: true, .. }) = from {
        request.extensions_mut().insert(HiddenAddress);
    }
    request.extensions_mut().insert(RequestHost(host));
    Ok(())
}

fn check_target(request: &Request) -> Result<(), Box<Response>> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if target.len() > TARGET_BYTES {
        return Err(Box::new(refuse_request(StatusCode::URI_TOO_LONG, "The address is too long.")));
    }
    if !is_text(request.uri().path()) {
        return Err(Box::new(refuse_request(StatusCode::BAD_REQUEST, "The address is not UTF-8 text.")));
    }
    Ok(())
}

fn check_body(headers: &HeaderMap, most: usize) -> Result<(), Box<Response>> {
    let encoding = headers.get_all(CONTENT_ENCODING).iter().any(|encoding| encoding.as_bytes() != b"identity");
    if encoding {
        let reason = "Compressed requests are not accepted.";
        return Err(Box::new(refuse_request(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason)));
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most as u64) {
        return Err(Box::new(super::body::too_large()));
    }
    Ok(())
}

/// Whether a path is UTF-8 when its `%xx` are resolved, and free of NUL.
fn is_text(path: &str) -> bool {
    percent::decode(path).is_some_and(|path| !path.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_04_only_utf_8_paths_pass() {
        for path in ["/", "/chats/1", "/%C3%A9", "/%", "/%z1", "/a%2", "/é", "/%2e%2e"] {
            assert!(is_text(path), "{path}");
        }
        for path in ["/%ff", "/%C3", "/%C3%28", "/%ed%a0%80", "/%00", "/a%00b"] {
            assert!(!is_text(path), "{path}");
        }
    }
}
