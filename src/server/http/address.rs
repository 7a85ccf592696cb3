//! The address of the client.
//!
//! Behind a trusted proxy it is taken from `X-Forwarded-For` or, without that header, from `Forwarded` (RFC 7239). Both
//! are lists: each proxy appends the address that it sees on the right. Everything to the left of the first address
//! that is not a trusted proxy can be forged by the client.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Once,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};

use crate::server::audit::ClientAddress;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The two ends of the connection of a request. In the extensions of every request that came over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionAddrs {
    /// The address of the client or proxy that connected.
    pub peer: SocketAddr,
    /// The local address and port that were connected to.
    pub local: SocketAddr,
}

/// The origin of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientSource {
    /// The address of the client, or of the last proxy that can be trusted.
    pub address: ClientAddress,
    /// Whether a trusted proxy forwarded the request without a usable client address. Many clients may share `address`
    /// then.
    pub is_shared_address: bool,
}

/// One entry of a forwarding header.
enum Hop {
    Address(IpAddr),
    /// Not an address: `unknown`, an obfuscated identifier, or an unreadable entry. Holds the reason for the log.
    Hidden(&'static str),
}

/// Returns the right-most address that is not a trusted proxy if the peer is a trusted proxy, otherwise the peer.
pub(super) fn client_source(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> ClientSource {
    let mut client = peer.to_canonical();
    let known = |client| ClientSource { address: ClientAddress(client), is_shared_address: false };
    if !trusted.contains(&client) {
        return known(client);
    }
    let mut hops = if headers.contains_key(FORWARDED_FOR) { forwarded_for(headers) } else { forwarded(headers) };
    if hops.is_empty() {
        return hidden_client(client, "nothing");
    }
    while trusted.contains(&client) {
        match hops.pop() {
            Some(Hop::Address(hop)) => client = hop,
            Some(Hop::Hidden(reason)) => return hidden_client(client, reason),
            None => break,
        }
    }
    known(client)
}

/// Warns the operator once. Does not log the header: clients can write it.
fn hidden_client(proxy: IpAddr, reason: &str) -> ClientSource {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            %proxy,
            reason,
            "a trusted proxy does not send the client's address, so rate limits cannot count by address; \
             configure it to set X-Forwarded-For"
        );
    });
    ClientSource { address: ClientAddress(proxy), is_shared_address: true }
}

/// Parses `X-Forwarded-For`, which has no standard: addresses with or without a port, in brackets or in quotes.
fn forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let lines = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::to_str);
    let mut hops = Vec::new();
    for line in lines {
        match line {
            Ok(line) => hops.extend(line.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(parse_hop)),
            Err(_) => hops.push(Hop::Hidden("unreadable")),
        }
    }
    hops
}

/// Parses `Forwarded`; only the `for` parameter of each element is used.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let mut hops = Vec::new();
    for line in headers.get_all(FORWARDED) {
        let Ok(line) = line.to_str() else {
            hops.push(Hop::Hidden("unreadable"));
            continue;
        };
        let mut elements = split_from_right(line, b',');
        elements.reverse();
        hops.extend(elements.into_iter().filter(|element| !element.is_empty()).map(|element| {
            let pairs = split_from_right(element, b';');
            let named = |pair: &&str| pair.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("for="));
            let mut values = pairs.into_iter().filter(named).map(|pair| &pair[4..]);
            match (values.next(), values.next()) {
                (Some(value), None) => parse_hop(value),
                _ => Hop::Hidden("an element without `for`"),
            }
        }));
    }
    hops
}

/// Splits at separators outside quotes and returns the parts from right to left. Reads from the right, so that a quote
/// left open by the client on the left cannot swallow what a proxy appended.
fn split_from_right(text: &str, separator: u8) -> Vec<&str> {
    let bytes = text.as_bytes();
    let is_escaped = |at: usize| bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
    let (mut parts, mut end, mut at, mut quoted) = (Vec::new(), text.len(), text.len(), false);
    while at > 0 {
        at -= 1;
        if bytes[at] == b'"' && !(quoted && is_escaped(at)) {
            quoted = !quoted;
        } else if bytes[at] == separator && !quoted {
            parts.push(text[at + 1..end].trim());
            end = at;
        }
    }
    parts.push(text[..end].trim());
    parts
}

/// Parses one entry into an address, or the reason why it is not one.
fn parse_hop(entry: &str) -> Hop {
    let entry = entry.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(entry).trim();
    let address = match entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if port.is_empty() || port.strip_prefix(':').is_some_and(is_port) => {
            address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        Some(_) => None,
        None => entry.parse().ok().or_else(|| {
            // An IPv6 address may only have a port when it is in brackets.
            let (address, port) = entry.split_once(':')?;
            address.parse().ok().filter(|address: &IpAddr| address.is_ipv4() && is_port(port))
        }),
    };
    match address.map(|address| address.to_canonical()).filter(|address| !address.is_unspecified()) {
        Some(address) => Hop::Address(address),
        None if entry.eq_ignore_ascii_case("unknown") => Hop::Hidden("`unknown`"),
        None if entry.starts_with('_') => Hop::Hidden("an identifier of its own"),
        None => Hop::Hidden("no address"),
    }
}

/// Whether this is a port: a number, or an obfuscated port of the proxy (RFC 7239, section 6.3).
fn is_port(text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match text.strip_prefix('_') {
        Some(name) => !name.is_empty() && name.bytes().all(is_name),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXIES: [&str; 3] = ["10.0.0.1", "10.0.0.2", "2001:db8:f::1"];

    fn client_source_for(peer: &str, name: &HeaderName, lines: &[&str], trusted: &[&str]) -> ClientSource {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let trusted: Vec<IpAddr> = trusted.iter().map(|text| ip(text)).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).expect("a header"));
        }
        client_source(ip(peer), &headers, &trusted)
    }

    fn address_for(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        client_source_for(peer, &FORWARDED_FOR, forwarded, trusted).address.0.to_string()
    }

    /// Returns the client address that these headers name through a trusted proxy; `None` if they name none.
    fn forwarded_address(name: &HeaderName, lines: &[&str]) -> Option<String> {
        let client_source = client_source_for("10.0.0.1", name, lines, &PROXIES);
        (!client_source.is_shared_address).then(|| client_source.address.0.to_string())
    }

    #[test]
    fn row_30_forwarded_for_is_ignored_from_an_untrusted_peer() {
        let many = vec!["203.0.113.9"; 1_000].join(", ");
        for forged in ["203.0.113.9", "fe80::1%eth0", "garbage", "127.0.0.1", "203.0.113.9:1", "unknown", "", &many] {
            for name in [FORWARDED_FOR, FORWARDED] {
                for trusted in [&[][..], &["10.0.0.1"][..]] {
                    let client_source =
                        client_source_for("198.51.100.7", &name, &[forged, &format!("for={forged}")], trusted);
                    let expected = ClientAddress("198.51.100.7".parse().expect("an address"));
                    assert_eq!(client_source, ClientSource { address: expected, is_shared_address: false }, "{forged}");
                }
            }
        }
    }

    #[test]
    fn row_30_the_rightmost_untrusted_hop_is_the_client() {
        let proxies = ["10.0.0.1", "10.0.0.2"];
        assert_eq!(address_for("10.0.0.1", &["6.6.6.6, 203.0.113.9"], &proxies), "203.0.113.9");
        assert_eq!(address_for("10.0.0.1", &["6.6.6.6, 203.0.113.9, 10.0.0.2"], &proxies), "203.0.113.9");
        assert_eq!(address_for("10.0.0.1", &["6.6.6.6", "203.0.113.9"], &proxies), "203.0.113.9");
        assert_eq!(address_for("::ffff:10.0.0.1", &["203.0.113.9"], &proxies), "203.0.113.9");
        assert_eq!(address_for("10.0.0.1", &["203.0.113.9, garbage"], &proxies), "10.0.0.1");
        assert_eq!(address_for("10.0.0.1", &[], &proxies), "10.0.0.1");
        assert_eq!(address_for("10.0.0.1", &["10.0.0.2, 10.0.0.1"], &proxies), "10.0.0.2");
    }

    #[test]
    fn row_30_an_address_is_read_in_every_spelling() {
        for (entry, client) in [
            ("203.0.113.12", Some("203.0.113.12")),
            ("203.0.113.12:5012", Some("203.0.113.12")),
            ("203.0.113.12:0", Some("203.0.113.12")),
            ("203.0.113.12:_x", Some("203.0.113.12")),
            ("\"203.0.113.12:5012\"", Some("203.0.113.12")),
            ("  203.0.113.12:5012\t", Some("203.0.113.12")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("\"[2001:DB8::1]:443\"", Some("2001:db8::1")),
            ("::ffff:203.0.113.12", Some("203.0.113.12")),
            ("[::ffff:203.0.113.12]:80", Some("203.0.113.12")),
            ("6.6.6.6:1, 203.0.113.12:5012 ,, 10.0.0.2:9000 , ", Some("203.0.113.12")),
            ("203.0.113.12:1, [2001:db8:f::1]:443, ::ffff:10.0.0.2", Some("203.0.113.12")),
            ("10.0.0.2:1, 10.0.0.1:2", Some("10.0.0.2")),
            ("203.0.113.12:", None),
            ("203.0.113.12:port", None),
            ("203.0.113.12:123456", None),
            ("203.0.113.12:1:2", None),
            ("203.0.113.012", None),
            ("203.0.113", None),
            ("[203.0.113.12]:80", None),
            ("[2001:db8::1", None),
            ("[2001:db8::1]x", None),
            ("[fe80::1%eth0]:1", None),
            ("0.0.0.0", None),
            ("[::]:1", None),
            ("unknown", None),
            ("_hidden", None),
            ("unix:", None),
            ("203.0.113.9, unknown", None),
            ("for=203.0.113.9", None),
            ("203.0.113.9, \u{fc}", None),
            (" , ,", None),
            ("", None),
        ] {
            assert_eq!(forwarded_address(&FORWARDED_FOR, &[entry]).as_deref(), client, "{entry}");
        }
        assert_eq!(forwarded_address(&FORWARDED_FOR, &[]), None);
        assert_eq!(
            forwarded_address(&FORWARDED_FOR, &["6.6.6.6", "203.0.113.9:1", "10.0.0.2:5"]).as_deref(),
            Some("203.0.113.9")
        );
        assert_eq!(
            forwarded_address(&FORWARDED_FOR, &["6.6.6.6", "203.0.113.9:1", ""]).as_deref(),
            Some("203.0.113.9")
        );
    }

    #[test]
    fn row_30_forwarded_is_used_without_x_forwarded_for() {
        for (line, client) in [
            ("for=203.0.113.12", Some("203.0.113.12")),
            ("For=\"203.0.113.12:5012\"", Some("203.0.113.12")),
            ("for=203.0.113.12:5012", Some("203.0.113.12")),
            ("FOR=\"[2001:db8::1]:443\";proto=https;by=10.0.0.1", Some("2001:db8::1")),
            ("proto=https ; for=203.0.113.12 ;host=\"a, b; for=6.6.6.6\"", Some("203.0.113.12")),
            ("for=6.6.6.6, for=203.0.113.12;by=10.0.0.2,for=\"10.0.0.2:80\"", Some("203.0.113.12")),
            ("for=\", for=203.0.113.12", Some("203.0.113.12")),
            ("for=6.6.6.6;x=\", for=\"[2001:db8::1]\"", Some("2001:db8::1")),
            ("for=203.0.113.12;host=\"a\\\"b\\\\\"", Some("203.0.113.12")),
            ("for=203.0.113.12,,", Some("203.0.113.12")),
            ("for=unknown", None),
            ("for=\"_gazonk\"", None),
            ("for=_gazonk", None),
            ("for=203.0.113.12, by=10.0.0.1", None),
            ("for=203.0.113.12;for=6.6.6.6", None),
            ("for=", None),
            ("203.0.113.12", None),
            ("forx=203.0.113.12", None),
            ("for=203.0.113.12, for=\"", None),
        ] {
            assert_eq!(forwarded_address(&FORWARDED, &[line]).as_deref(), client, "{line}");
        }
        assert_eq!(
            forwarded_address(&FORWARDED, &["for=6.6.6.6", "for=203.0.113.9, for=10.0.0.2"]).as_deref(),
            Some("203.0.113.9")
        );
        let mut both = HeaderMap::new();
        both.insert(FORWARDED, HeaderValue::from_static("for=6.6.6.6"));
        both.insert(FORWARDED_FOR, HeaderValue::from_static("203.0.113.9"));
        let proxy = "10.0.0.1".parse().expect("an address");
        assert_eq!(client_source(proxy, &both, &[proxy]).address.0.to_string(), "203.0.113.9");
    }
}
