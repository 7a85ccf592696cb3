//! The egress policy: where requests may be sent.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

use super::{
    error::EgressError,
    networks::{effective_address, is_public},
};

/// The source of a URL, which decides where it may point.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The operator's configuration. Any address is allowed, including private networks.
    Configuration,
    /// A response from this configured URL, such as the metadata of an issuer. The same host, the public internet and
    /// the networks allowed by the operator are permitted.
    DiscoveredAt(&'a str),
}

/// The client to use for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Connects to any address of the host.
    Unrestricted,
    /// Connects only to addresses that the policy permits, checked after name resolution.
    Checked,
}

/// The networks that the operator allows besides the public internet.
#[derive(Debug)]
pub(super) struct Policy {
    pub allowed: Vec<IpNet>,
}

impl Policy {
    /// Selects the client for a URL from this source.
    pub fn route(&self, url: &Url, source: Source<'_>) -> Result<Route, EgressError> {
        let Source::DiscoveredAt(configured) = source else { return Ok(Route::Unrestricted) };
        if !is_secure_url(url) {
            return Err(EgressError::Insecure);
        }
        if Url::parse(configured).is_ok_and(|configured| configured.host() == url.host()) {
            return Ok(Route::Unrestricted);
        }
        match ip_literal(url) {
            // IP literals are not resolved, so the resolver cannot check them.
            Some(address) if !self.permits(address) => Err(EgressError::forbidden(url.host_str())),
            _ => Ok(Route::Checked),
        }
    }

    /// Whether a URL that is not configured may connect to this address.
    pub fn permits(&self, address: IpAddr) -> bool {
        let end = effective_address(address);
        is_public(address) || self.allowed.iter().any(|network| network.contains(&end) || network.contains(&address))
    }
}

/// Whether a URL is safe from eavesdropping: https, or loopback.
pub fn is_secure_url(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => url.host_str() == Some("localhost") || ip_literal(url).is_some_and(|address| address.is_loopback()),
        _ => false,
    }
}

/// The host if it is an IP literal. The URL parser has normalised all spellings.
fn ip_literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_matches(['[', ']']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn only_https_and_this_machine_are_safe() {
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
            assert_eq!(is_secure_url(&url(address)), safe, "{address}");
        }
    }

    #[test]
    fn t02_discovered_urls_cannot_reach_private_addresses() {
        let policy = Policy { allowed: Vec::new() };
        for host in [
            "127.0.0.1",
            "0",
            "0.0.0.0",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "good.example@127.0.0.1",
            "169.254.169.254",
            "168.63.129.16",
            "100.64.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fc00::1]",
            "[fe80::1]",
        ] {
            let refused =
                policy.route(&url(&format!("https://{host}/x")), Source::DiscoveredAt("https://login.example"));
            assert!(matches!(refused, Err(EgressError::Forbidden(_))), "{host}: {refused:?}");
        }
        for scheme in ["http", "ftp", "file", "gopher", "ws", "data"] {
            let refused =
                policy.route(&url(&format!("{scheme}://a.example/")), Source::DiscoveredAt("https://login.example"));
            assert!(matches!(refused, Err(EgressError::Insecure)), "{scheme}: {refused:?}");
        }
    }

    #[test]
    fn names_and_public_addresses_use_the_checked_client() {
        let policy = Policy { allowed: Vec::new() };
        for host in
            ["keys.example", "localhost", "localhost.", "8.8.8.8", "[2606:4700::1111]", "xn--mnchen-3ya.example"]
        {
            let route = policy.route(&url(&format!("https://{host}/x")), Source::DiscoveredAt("https://login.example"));
            assert!(matches!(route, Ok(Route::Checked)), "{host}: {route:?}");
        }
    }

    #[test]
    fn the_configured_host_may_be_private_and_no_other() {
        let policy = Policy { allowed: Vec::new() };
        let route = |address: &str, configured: &str| policy.route(&url(address), Source::DiscoveredAt(configured));
        for (address, configured) in [
            ("https://10.0.0.5/token", "https://10.0.0.5/realm"),
            ("https://10.0.0.5:9443/token", "https://10.0.0.5:8443/realm"),
            ("https://login.lan/token", "https://Login.LAN/realm"),
            ("http://127.0.0.1:9/token", "http://127.0.0.1:8/"),
        ] {
            assert!(matches!(route(address, configured), Ok(Route::Unrestricted)), "{address}");
        }
        for (address, configured) in [
            ("https://10.0.0.6/", "https://10.0.0.5/"),
            ("https://10.0.0.5/", "https://login.example@10.0.0.6/"),
            ("https://10.0.0.5/", "not an address"),
            ("http://127.0.0.1:9/", "http://localhost:9/"),
        ] {
            assert!(matches!(route(address, configured), Err(EgressError::Forbidden(_))), "{address}");
        }
        let anywhere = policy.route(&url("http://10.0.0.6/v1"), Source::Configuration);
        assert!(matches!(anywhere, Ok(Route::Unrestricted)), "the operator decides");
    }

    #[test]
    fn allowed_networks_are_allowed_however_the_address_is_written() {
        let networks = ["10.1.0.0/16", "fd00:1::/32"].map(|network| network.parse().expect("a network"));
        let policy = Policy { allowed: networks.to_vec() };
        for (address, permitted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("64:ff9b::10.1.2.3", true),
            ("fd00:1::5", true),
            ("10.2.0.1", false),
            ("::ffff:10.2.0.1", false),
            ("fd00:2::5", false),
            ("127.0.0.1", false),
            ("8.8.8.8", true),
        ] {
            assert_eq!(policy.permits(address.parse().expect("an address")), permitted, "{address}");
        }
    }
}
