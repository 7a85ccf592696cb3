//! The client address of a request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The IP address of the client as well as it is known: the peer's, or the one reported by a trusted proxy. A request
/// extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

/// A trusted proxy forwarded the request without the client's address, so [`ClientAddress`] is the proxy's and many
/// clients may share it. A request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedAddress;

impl ClientAddress {
    /// The address as a rate-limit key: the whole IPv4 address, or the /64 of IPv6, which one customer can use at will.
    pub fn rate_limit_key(self) -> String {
        match self.0.to_canonical() {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

impl Default for ClientAddress {
    /// The unspecified address: the request did not come over a socket.
    fn default() -> Self {
        Self(Ipv4Addr::UNSPECIFIED.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a07_one_customer_has_one_rate_limit_key() {
        let key = |text: &str| ClientAddress(text.parse().expect("an address")).rate_limit_key();
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
    }
}
