//! Who is at the other end.
//!
//! Behind a trusted proxy it is what the proxy says: in `X-Forwarded-For`, or where there is none in `Forwarded` (RFC 7239).
//! Both are lists to which each proxy adds the address that it sees, on the right. What stands to the left of the first
//! address that is not a trusted proxy's can be made up by anybody.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Once,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};

use crate::server::audit::ClientAddress;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The two ends of the connection that a request came through. An extension of requests that came over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connected {
    /// The other end.
    pub peer: SocketAddr,
    /// Our end: the address and port that the other end connected to.
    pub local: SocketAddr,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    /// The address of the client, or of the last proxy that can be believed.
    pub address: ClientAddress,
    /// Whether a trusted proxy passed the request on without saying for which address: then many may be behind it.
    pub is_hidden: bool,
}

/// What a proxy can say of where a request came from.
enum Hop {
    Address(IpAddr),
    /// No address: the word `unknown`, an identifier of the proxy's own, or what nobody can read.
    Hidden(&'static str),
}

/// The right-most address that is not a trusted proxy's, if the request comes from a trusted proxy; else the peer.
pub(super) fn source(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Source {
    let mut client = peer.to_canonical();
    let known = |client| Source { address: ClientAddress(client), is_hidden: false };
    if !trusted.contains(&client) {
        return known(client);
    }
    let mut hops = if headers.contains_key(FORWARDED_FOR) { forwarded_for(headers) } else { forwarded(headers) };
    if hops.is_empty() {
        return hidden(client, "nothing");
    }
    while trusted.contains(&client) {
        match hops.pop() {
            Some(Hop::Address(hop)) => client = hop,
            Some(Hop::Hidden(what)) => return hidden(client, what),
            None => break,
        }
    }
    known(client)
}

/// Says in the log once what the operator should look at. Not what was sent: clients may have written it.
fn hidden(proxy: IpAddr, what: &str) -> Source {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::warn!(
            %proxy,
            what,
            "a trusted proxy does not say for which address it passes requests on, so tries are not counted by address; \
             let it set X-Forwarded-For"
        );
    });
    Source { address: ClientAddress(proxy), is_hidden: true }
}

/// The hops of `X-Forwarded-For`, which no standard describes: addresses with or without a port, in brackets or quotes.
fn forwarded_for(headers: &HeaderMap) -> Vec<Hop> {
    let lines = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::to_str);
    let mut hops = Vec::new();
    for line in lines {
        match line {
            Ok(line) => hops.extend(line.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(hop)),
            Err(_) => hops.push(Hop::Hidden("unreadable")),
        }
    }
    hops
}

/// The hops of `Forwarded`, of each element what it says with `for`.
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
                (Some(value), None) => hop(value),
                _ => Hop::Hidden("an element without `for`"),
            }
        }));
    }
    hops
}

/// The pieces of a list between separators that do not stand in quotes, the last one first. Read from the right, so that
/// a quote that a client has left open on the left cannot swallow what a proxy adds.
fn split_from_right(text: &str, separator: u8) -> Vec<&str> {
    let bytes = text.as_bytes();
    let is_escaped = |at: usize| bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
    let (mut pieces, mut end, mut at, mut quoted) = (Vec::new(), text.len(), text.len(), false);
    while at > 0 {
        at -= 1;
        if bytes[at] == b'"' && !(quoted && is_escaped(at)) {
            quoted = !quoted;
        } else if bytes[at] == separator && !quoted {
            pieces.push(text[at + 1..end].trim());
            end = at;
        }
    }
    pieces.push(text[..end].trim());
    pieces
}

/// One hop: an address, or why it is none.
fn hop(entry: &str) -> Hop {
    let entry = entry.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(entry).trim();
    let address = match entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if port.is_empty() || port.strip_prefix(':').is_some_and(is_port) => {
            address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
        }
        Some(_) => None,
        None => entry.parse().ok().or_else(|| {
            // An address of IPv6 is ended by its brackets alone.
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

/// A port: a number, or a name that the proxy has made up (RFC 7239, section 6.3).
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

    fn ask(peer: &str, name: &HeaderName, lines: &[&str], trusted: &[&str]) -> Source {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let trusted: Vec<IpAddr> = trusted.iter().map(|text| ip(text)).collect();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).expect("a header"));
        }
        source(ip(peer), &headers, &trusted)
    }

    fn find(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        ask(peer, &FORWARDED_FOR, forwarded, trusted).address.0.to_string()
    }

    /// The address that these lines name through a trusted proxy; none where they name none.
    fn through(name: &HeaderName, lines: &[&str]) -> Option<String> {
        let source = ask("10.0.0.1", name, lines, &PROXIES);
        (!source.is_hidden).then(|| source.address.0.to_string())
    }

    #[test]
    fn row_30_forwarded_for_is_ignored_from_an_untrusted_peer() {
        let many = vec!["203.0.113.9"; 1_000].join(", ");
        for forged in ["203.0.113.9", "fe80::1%eth0", "garbage", "127.0.0.1", "203.0.113.9:1", "unknown", "", &many] {
            for name in [FORWARDED_FOR, FORWARDED] {
                for trusted in [&[][..], &["10.0.0.1"][..]] {
                    let source = ask("198.51.100.7", &name, &[forged, &format!("for={forged}")], trusted);
                    let expected = ClientAddress("198.51.100.7".parse().expect("an address"));
                    assert_eq!(source, Source { address: expected, is_hidden: false }, "{forged}");
                }
            }
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
            assert_eq!(through(&FORWARDED_FOR, &[entry]).as_deref(), client, "{entry}");
        }
        assert_eq!(through(&FORWARDED_FOR, &[]), None);
        assert_eq!(
            through(&FORWARDED_FOR, &["6.6.6.6", "203.0.113.9:1", "10.0.0.2:5"]).as_deref(),
            Some("203.0.113.9")
        );
        assert_eq!(through(&FORWARDED_FOR, &["6.6.6.6", "203.0.113.9:1", ""]).as_deref(), Some("203.0.113.9"));
    }

    #[test]
    fn row_30_forwarded_is_read_where_nothing_else_says_it() {
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
            assert_eq!(through(&FORWARDED, &[line]).as_deref(), client, "{line}");
        }
        assert_eq!(
            through(&FORWARDED, &["for=6.6.6.6", "for=203.0.113.9, for=10.0.0.2"]).as_deref(),
            Some("203.0.113.9")
        );
        let mut both = HeaderMap::new();
        both.insert(FORWARDED, HeaderValue::from_static("for=6.6.6.6"));
        both.insert(FORWARDED_FOR, HeaderValue::from_static("203.0.113.9"));
        let proxy = "10.0.0.1".parse().expect("an address");
        assert_eq!(source(proxy, &both, &[proxy]).address.0.to_string(), "203.0.113.9");
    }
}
