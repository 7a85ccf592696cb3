//! Rejects malformed and misdirected requests before any router runs.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};
use percent_encoding::percent_decode_str;

use super::{
    address::{ClientSource, ConnectionAddrs, client_source},
    origin::Site,
    refusal::refuse_request,
};
use crate::server::{
    audit::{ClientAddress, SharedAddress},
    config::Config,
};

/// The maximum length of the path with its query, in bytes.
const MAX_TARGET_BYTES: usize = 8_192;

/// The configuration of the request checks.
#[derive(Debug)]
pub(super) struct Rules {
    pub site: Site,
    config: Arc<Config>,
    pub body_timeout: Duration,
}

impl Rules {
    pub fn new(config: Arc<Config>, body_timeout: Duration) -> Self {
        Self { site: Site::new(&config), config, body_timeout }
    }
}

/// The validated host of a request. In the extensions of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestHost(pub String);

/// The middleware function of the checks.
pub(super) async fn guard(State(rules): State<Arc<Rules>>, mut request: Request, next: Next) -> Response {
    match check(&rules, &mut request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => *refusal,
    }
}

fn check(rules: &Rules, request: &mut Request) -> Result<(), Box<Response>> {
    let connection = request.extensions().get::<ConnectionAddrs>().copied();
    let host = rules.site.host(request.uri(), request.headers(), connection);
    let host = host.map_err(|(status, reason)| refuse_request(status, reason))?;
    check_target(request)?;
    let from = connection
        .map(|connection| client_source(connection.peer.ip(), request.headers(), &rules.config.trusted_proxies));
    request.extensions_mut().insert(from.map_or_else(ClientAddress::default, |from| from.address));
    if let Some(ClientSource { is_shared_address: true, .. }) = from {
        request.extensions_mut().insert(SharedAddress);
    }
    request.extensions_mut().insert(RequestHost(host));
    Ok(())
}

fn check_target(request: &Request) -> Result<(), Box<Response>> {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    if target.len() > MAX_TARGET_BYTES {
        return Err(Box::new(refuse_request(StatusCode::URI_TOO_LONG, reason!("address_too_long"))));
    }
    if !is_text(request.uri().path()) {
        return Err(Box::new(refuse_request(StatusCode::BAD_REQUEST, reason!("address_not_text"))));
    }
    Ok(())
}

/// Whether a percent-decoded path is valid UTF-8 without NUL.
fn is_text(path: &str) -> bool {
    percent_decode_str(path).decode_utf8().is_ok_and(|path| !path.contains('\0'))
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
