//! Who is at the other end.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use crate::server::auth::ClientAddress;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The two ends of the connection that a request came through. An extension of requests that came over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected {
    /// The other end.
    pub peer: SocketAddr,
    /// Our end: the address and port that the other end connected to.
    pub local: SocketAddr,
}

/// The right-most address of `X-Forwarded-For` that is not a trusted proxy's, if the request comes from a
/// trusted proxy; else the peer. What stands further to the left can be made up by anybody.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> ClientAddress {
    let mut client = peer.to_canonical();
    if trusted.is_empty() {
        return ClientAddress(client);
    }
    let lines = headers.get_all(FORWARDED_FOR);
    let mut hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    while trusted.contains(&client) {
        let Some(hop) = hops.next().and_then(|hop| hop.trim().parse::<IpAddr>().ok()) else { break };
        client = hop.to_canonical();
    }
    ClientAddress(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let trusted: Vec<IpAddr> = trusted.iter().map(|text| ip(text)).collect();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().expect("a header"));
        }
        client_address(ip(peer), &headers, &trusted).0.to_string()
    }

    #[test]
    fn row_30_forwarded_for_is_ignored_from_an_untrusted_peer() {
        let many = vec!["203.0.113.9"; 1_000].join(", ");
        for forged in ["203.0.113.9", "fe80::1%eth0", "garbage", "127.0.0.1", &many] {
            assert_eq!(find("198.51.100.7", &[forged], &[]), "198.51.100.7", "{forged}");
            assert_eq!(find("198.51.100.7", &[forged], &["10.0.0.1"]), "198.51.100.7", "{forged}");
        }
    }

    #[test]
    fn row_30_the_rightmost_untrusted_hop_is_the_client() {
        let proxies = ["10.0.0.1", "10.0.0.2"];
        assert_eq!(find("10.0.0.1", &["6.6.6.6, 203.0.113.9"], &proxies), "203.0.113.9");
        assert_eq!(find("10.0.0.1", &["6.6.6.6, 203.0.113.9, 10.0.0.2"], &proxies), "203.0.113.9");
        assert_eq!(find("10.0.0.1", &["6.6.6.6", "203.0.113.9"], &proxies), "203.0.113.9");
        assert_eq!(find("::ffff:10.0.0.1", &["203.0.113.9"], &proxies), "203.0.113.9");
        assert_eq!(find("10.0.0.1", &["203.0.113.9, garbage"], &proxies), "10.0.0.1");
        assert_eq!(find("10.0.0.1", &[], &proxies), "10.0.0.1");
        assert_eq!(find("10.0.0.1", &["10.0.0.2, 10.0.0.1"], &proxies), "10.0.0.2");
    }
}
