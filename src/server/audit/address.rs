//! Where a request comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address of the person's machine, as well as it can be known: the peer, or what a trusted proxy says of it.
/// An extension of all requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

/// A trusted proxy passed the request on without saying for whom: [`ClientAddress`] is the proxy's, and many people may be
/// behind it. An extension of such requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HiddenAddress;

impl ClientAddress {
    /// The address as far as one customer can change it at will: all of IPv4, the /64 of IPv6.
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
    /// Nobody: the request did not come over a socket.
    fn default() -> Self {
        Self(Ipv4Addr::UNSPECIFIED.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a07_one_customer_is_one_key() {
        let key = |text: &str| ClientAddress(text.parse().expect("an address")).rate_limit_key();
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::9"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
    }
}
