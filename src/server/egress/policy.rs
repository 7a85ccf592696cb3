//! Where requests may go.

use std::net::IpAddr;

use ipnet::IpNet;
use reqwest::Url;

use super::{
    error::EgressError,
    networks::{is_public, plain},
};

/// Who named an address: that decides where it may lead.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// The operator, in the configuration. It may lead anywhere, also into their own network.
    Configuration,
    /// What answers at this configured address, such as an issuer. It may lead to the same host, to the public internet, and
    /// into the networks that the operator allows.
    NamedAt(&'a str),
}

/// By which client a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// To whatever address the host has.
    Anywhere,
    /// To an address that the policy permits, whatever the host's name resolves to.
    Checked,
}

/// The networks that the operator allows besides the public internet.
#[derive(Debug)]
pub(super) struct Policy {
    pub allowed: Vec<IpNet>,
}

impl Policy {
    /// By which client an address may be asked that this source named.
    pub fn route(&self, url: &Url, source: Source<'_>) -> Result<Route, EgressError> {
        let Source::NamedAt(configured) = source else { return Ok(Route::Anywhere) };
        if !is_safe(url) {
            return Err(EgressError::Insecure);
        }
        if Url::parse(configured).is_ok_and(|configured| configured.host() == url.host()) {
            return Ok(Route::Anywhere);
        }
        match literal(url) {
            // No resolver sees an address that is written as one.
            Some(address) if !self.permits(address) => Err(EgressError::forbidden(url.host_str())),
            _ => Ok(Route::Checked),
        }
    }

    /// Whether an address may be connected to that nobody configured.
    pub fn permits(&self, address: IpAddr) -> bool {
        let end = plain(address);
        is_public(address) || self.allowed.iter().any(|network| network.contains(&end) || network.contains(&address))
    }
}

/// Whether an address is such that nobody in between can read along: https, or this machine.
pub fn is_safe(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => url.host_str() == Some("localhost") || literal(url).is_some_and(|address| address.is_loopback()),
        _ => false,
    }
}

/// The host, where it is an address and no name. The parser of URLs has brought all ways to write one into one form.
fn literal(url: &Url) -> Option<IpAddr> {
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
            assert_eq!(is_safe(&url(address)), safe, "{address}");
        }
    }

    #[test]
    fn t02_addresses_that_nobody_configured_lead_nowhere_private() {
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
            let refused = policy.route(&url(&format!("https://{host}/x")), Source::NamedAt("https://login.example"));
            assert!(matches!(refused, Err(EgressError::Forbidden(_))), "{host}: {refused:?}");
        }
        for scheme in ["http", "ftp", "file", "gopher", "ws", "data"] {
            let refused =
                policy.route(&url(&format!("{scheme}://a.example/")), Source::NamedAt("https://login.example"));
            assert!(matches!(refused, Err(EgressError::Insecure)), "{scheme}: {refused:?}");
        }
    }

    #[test]
    fn names_and_public_addresses_are_asked_by_the_client_that_checks() {
        let policy = Policy { allowed: Vec::new() };
        for host in
            ["keys.example", "localhost", "localhost.", "8.8.8.8", "[2606:4700::1111]", "xn--mnchen-3ya.example"]
        {
            let route = policy.route(&url(&format!("https://{host}/x")), Source::NamedAt("https://login.example"));
            assert!(matches!(route, Ok(Route::Checked)), "{host}: {route:?}");
        }
    }

    #[test]
    fn the_configured_host_may_be_private_and_no_other() {
        let policy = Policy { allowed: Vec::new() };
        let route = |address: &str, configured: &str| policy.route(&url(address), Source::NamedAt(configured));
        for (address, configured) in [
            ("https://10.0.0.5/token", "https://10.0.0.5/realm"),
            ("https://10.0.0.5:9443/token", "https://10.0.0.5:8443/realm"),
            ("https://login.lan/token", "https://Login.LAN/realm"),
            ("http://127.0.0.1:9/token", "http://127.0.0.1:8/"),
        ] {
            assert!(matches!(route(address, configured), Ok(Route::Anywhere)), "{address}");
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
        assert!(matches!(anywhere, Ok(Route::Anywhere)), "the operator decides");
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
