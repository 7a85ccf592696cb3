//! Who is at the other end.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The two ends of the connection that a request came through. An extension of requests that came over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected {
    /// The other end.
    pub peer: SocketAddr,
    /// Our end: the address and port that the other end connected to.
    pub local: SocketAddr,
}

/// The address of the person's machine, as well as it can be known. An extension of all requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The right-most address of `X-Forwarded-For` that is not a trusted proxy's, if the request comes from a
    /// trusted proxy; else the peer. What stands further to the left can be made up by anybody.
    pub(super) fn find(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Self {
        let mut client = peer.to_canonical();
        if trusted.is_empty() {
            return Self(client);
        }
        let lines = headers.get_all(FORWARDED_FOR);
        let mut hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        while trusted.contains(&client) {
            let Some(hop) = hops.next().and_then(|hop| hop.trim().parse::<IpAddr>().ok()) else { break };
            client = hop.to_canonical();
        }
        Self(client)
    }

    /// The key under which tries from here are counted: an IPv4 address as it is, an IPv6 address cut to its
    /// first 64 bits, because whoever has one has them all.
    pub fn throttle_key(self) -> IpAddr {
        match self.0 {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            address => address,
        }
    }
}

impl Default for ClientAddress {
    /// Nobody: the request did not come over a socket.
    fn default() -> Self {
        Self(Ipv4Addr::UNSPECIFIED.into())
    }
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
        ClientAddress::find(ip(peer), &headers, &trusted).0.to_string()
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

    #[test]
    fn a07_the_addresses_of_one_ipv6_network_have_one_key() {
        let key = |text: &str| ClientAddress(text.parse().expect("an address")).throttle_key().to_string();
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(key("2001:db8:1:2:ffff::1"), "2001:db8:1:2::");
        assert_ne!(key("2001:db8:1:3::1"), "2001:db8:1:2::");
        assert_eq!(key("198.51.100.7"), "198.51.100.7");
    }
}
