//! Checks the `Host` of requests, and which pages may send state-changing requests.
//!
//! Libraries against CSRF compare a token, or `Origin` with `Host`. They do not check `Host` itself, by which a page of an
//! attacker could reach a server on the reader's own machine (DNS rebinding).

use std::net::{IpAddr, SocketAddr};

use axum::http::{
    HeaderMap, HeaderName, StatusCode, Uri,
    header::{HOST, ORIGIN},
};

use super::address::ConnectionAddrs;
use crate::{
    i18n::Reason,
    server::config::{Config, PublicUrl},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The host names of this installation.
#[derive(Debug, Clone)]
pub(super) struct Site {
    url: Option<PublicUrl>,
    listen: SocketAddr,
}

/// The response to a rejected `Host`.
pub(super) type HostRejection = (StatusCode, Reason);

impl Site {
    pub fn new(config: &Config) -> Self {
        Self { url: config.url.clone(), listen: config.listen }
    }

    /// Whether a path is served for any host: health probes connect by IP address, and these responses reveal nothing.
    fn is_probe(uri: &Uri) -> bool {
        matches!(uri.path(), "/health/live" | "/health/ready")
    }

    /// Returns the host of a request in lower case, if it is one of ours.
    pub fn host(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        connection: Option<ConnectionAddrs>,
    ) -> Result<String, HostRejection> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err((StatusCode::BAD_REQUEST, reason!("host_not_one")));
        };
        let host = host.to_str().unwrap_or_default().to_ascii_lowercase();
        if host.is_empty() {
            return Err((StatusCode::BAD_REQUEST, reason!("host_empty")));
        }
        if uri.authority().is_some_and(|authority| !authority.as_str().eq_ignore_ascii_case(&host)) {
            return Err((StatusCode::BAD_REQUEST, reason!("host_differs")));
        }
        if self.is_ours(&host, connection) || Self::is_probe(uri) {
            return Ok(host);
        }
        Err((StatusCode::MISDIRECTED_REQUEST, reason!("host_not_served")))
    }

    fn is_ours(&self, host: &str, connection: Option<ConnectionAddrs>) -> bool {
        if let Some(url) = &self.url {
            return url.host == host;
        }
        // Browsers omit port 80.
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        if port != Some(connection.map_or(self.listen.port(), |connection| connection.local.port())) {
            return false;
        }
        if matches!(name, "localhost" | "127.0.0.1" | "[::1]") {
            return true;
        }
        let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name).parse::<IpAddr>();
        // Unlike a name, an IP address cannot be pointed at this server by an attacker (DNS rebinding).
        let local = connection.map_or(self.listen, |connection| connection.local);
        address.is_ok_and(|address| address == local.ip().to_canonical())
    }

    /// Whether a state-changing request was sent by one of our own pages (CSRF protection). Browsers send
    /// `Sec-Fetch-Site`; old browsers, and pages served over plain http outside loopback, only send `Origin`.
    pub fn is_own_page(&self, host: &str, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let origin_is_ours = match (origins.next(), origins.next()) {
            (None, _) => None,
            (Some(origin), None) => Some(origin.as_bytes() == self.origin(host).as_bytes()),
            _ => Some(false),
        };
        let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
        match (sites.next().map(|site| site.as_bytes()), sites.next()) {
            (Some(b"same-origin"), None) => origin_is_ours.unwrap_or(true),
            (None | Some(b"none"), None) => origin_is_ours.unwrap_or(false),
            _ => false,
        }
    }

    fn origin(&self, host: &str) -> String {
        self.url.as_ref().map_or_else(|| format!("http://{host}"), PublicUrl::origin)
    }

    /// Returns a link as a path of this site; a link to another site becomes `/`.
    pub fn local_path(&self, host: &str, link: &str) -> String {
        let path = link.strip_prefix(&self.origin(host)).unwrap_or(link);
        // Browsers treat `//x` and `/\x` as another host.
        let local = path.starts_with('/') && !path[1..].starts_with(['/', '\\']) && !path.chars().any(char::is_control);
        if local { path.to_owned() } else { "/".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(url: Option<&str>) -> Site {
        let url = url.map(|host| PublicUrl { https: true, host: host.to_owned() });
        Site { url, listen: "127.0.0.1:3000".parse().expect("an address") }
    }

    fn connection(local: &str) -> Option<ConnectionAddrs> {
        let local = local.parse().expect("an address");
        Some(ConnectionAddrs { peer: local, local })
    }

    #[test]
    fn h06_only_our_names_with_our_port_are_ours() {
        let here = site(None);
        for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"] {
            assert!(here.is_ours(host, None), "{host}");
        }
        for host in [
            "localhost",
            "localhost:3001",
            "evil.test:3000",
            "localhost:3000.evil.test",
            "127.0.0.1",
            "[::1]",
            "localhost.:3000",
            "192.168.1.5:3000",
            "::1:3000",
            "[::1",
            ":3000",
            "localhost:",
            "localhost:x",
        ] {
            assert!(!here.is_ours(host, None), "{host}");
        }
    }

    #[test]
    fn h06_the_address_that_was_connected_to_is_ours() {
        let here = site(None);
        assert!(here.is_ours("192.168.1.5:8080", connection("192.168.1.5:8080")));
        assert!(here.is_ours("localhost", connection("127.0.0.1:80")));
        assert!(here.is_ours("192.168.1.5:8080", connection("[::ffff:192.168.1.5]:8080")));
        assert!(!here.is_ours("192.168.1.6:8080", connection("192.168.1.5:8080")));
    }

    #[test]
    fn h06_with_a_url_only_its_host_is_ours() {
        let here = site(Some("chat.example.org"));
        assert!(here.is_ours("chat.example.org", None));
        for host in ["chat.example.org:443", "example.org", "localhost:3000", "127.0.0.1:3000"] {
            assert!(!here.is_ours(host, None), "{host}");
        }
    }

    #[test]
    fn h09_a_link_stays_on_this_site() {
        let here = site(Some("chat.example.org"));
        assert_eq!(here.local_path("chat.example.org", "https://chat.example.org/a?b=c"), "/a?b=c");
        assert_eq!(here.local_path("chat.example.org", "/a"), "/a");
        for link in [
            "https://evil.test/a",
            "//evil.test",
            "/\\evil.test",
            "https://chat.example.org.evil.test/",
            "https://chat.example.org@evil.test/",
            "javascript:alert(1)",
            "",
            "https://chat.example.org//evil.test",
            "a",
        ] {
            assert_eq!(here.local_path("chat.example.org", link), "/", "{link}");
        }
    }
}
