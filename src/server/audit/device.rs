//! Browsers and networks in words, as people know them.

use std::net::IpAddr;

/// What the operator's commands say in place of a browser's name.
pub(super) const COMMAND_LINE: &str = "command line";
/// A browser that is none that we know.
pub(super) const UNKNOWN: &str = "Unknown browser";
/// What the server says of itself.
pub(super) const SERVER: &str = "server";

/// The beginning of an address, enough to recognize one's own network: all but the last byte of IPv4, the /48 of IPv6.
pub fn network(address: &str) -> String {
    match address.parse() {
        // This came over no network.
        Ok(IpAddr::V4(v4)) if v4.is_unspecified() => "the server".to_owned(),
        Ok(IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.*")
        }
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:*")
        }
        Err(_) => String::new(),
    }
}

/// A browser and its system in words, from how it names itself. Browsers name those that they resemble too, so
/// the order counts.
pub fn device(user_agent: &str) -> String {
    match user_agent {
        COMMAND_LINE => return "Command line".to_owned(),
        SERVER => return "The server".to_owned(),
        _ => {}
    }
    const BROWSERS: [(&str, &str); 8] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 8] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("FreeBSD", "FreeBSD"),
        ("Linux", "Linux"),
    ];
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, words)| *words)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A program on {system}"),
        (None, None) => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_in_words() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36";
        assert_eq!(device(chrome), "Chrome on Linux");
        assert_eq!(device(&format!("{chrome} Edg/139.0")), "Edge on Linux");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(device(phone), "Safari on iPhone");
        assert_eq!(
            device("Mozilla/5.0 (Windows NT 10.0; rv:142.0) Gecko/20100101 Firefox/142.0"),
            "Firefox on Windows"
        );
        assert_eq!(device("curl/8.5"), "Unknown browser");
    }

    #[test]
    fn a_place_is_a_network_and_not_a_machine() {
        assert_eq!(network("203.0.113.77"), "203.0.113.*");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:*");
        assert_eq!(network(""), "");
        assert_eq!((network("0.0.0.0").as_str(), device(COMMAND_LINE).as_str()), ("the server", "Command line"));
    }
}
