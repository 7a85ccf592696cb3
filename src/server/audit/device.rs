//! Describes browsers (user agents) and networks for users.

use std::net::IpAddr;

use crate::i18n::Texts;

/// The user agent of the operator's commands.
pub(super) const COMMAND_LINE_AGENT: &str = "command line";
/// The user agent of the server itself.
pub(super) const SERVER_AGENT: &str = "server";

/// The prefix of an address, enough to recognize one's own network: the /24 of IPv4, the /48 of IPv6. `None` if there
/// is no network.
pub(super) fn mask_address(address: IpAddr) -> Option<String> {
    match address {
        IpAddr::V4(v4) if v4.is_unspecified() => None,
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Some(format!("{a}.{b}.{c}.*"))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            Some(format!("{a:x}:{b:x}:{c:x}:*"))
        }
    }
}

/// The network of an address, as text; empty if the address is invalid.
pub fn describe_network(texts: &Texts, address: &str) -> String {
    let describe = |address| mask_address(address).unwrap_or_else(|| t!(in texts, "mail.place.server").to_owned());
    address.parse::<IpAddr>().map(describe).unwrap_or_default()
}

/// A parsed user agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agent {
    CommandLine,
    Server,
    BrowserOn(&'static str, &'static str),
    Browser(&'static str),
    ProgramOn(&'static str),
    Unknown,
}

/// Parses a user agent into browser and system. A library knows thousands of them; a notice needs only those that
/// people recognize, and each library wants regular updates. Browsers also include the names of those they are compatible with, so
/// the order matters.
pub(super) fn parse_user_agent(user_agent: &str) -> Agent {
    match user_agent {
        COMMAND_LINE_AGENT => return Agent::CommandLine,
        SERVER_AGENT => return Agent::Server,
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
        names.iter().find(|(pattern, _)| user_agent.contains(pattern)).map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => Agent::BrowserOn(browser, system),
        (Some(browser), None) => Agent::Browser(browser),
        (None, Some(system)) => Agent::ProgramOn(system),
        (None, None) => Agent::Unknown,
    }
}

/// The browser and system of a user agent, as text.
pub fn describe_device(texts: &Texts, user_agent: &str) -> String {
    match parse_user_agent(user_agent) {
        Agent::CommandLine => t!(in texts, "mail.device.command_line").to_owned(),
        Agent::Server => t!(in texts, "mail.device.server").to_owned(),
        Agent::BrowserOn(browser, system) => {
            t!(in texts, "mail.device.browser_on", browser = browser, system = system)
        }
        Agent::Browser(browser) => browser.to_owned(),
        Agent::ProgramOn(system) => t!(in texts, "mail.device.program_on", system = system),
        Agent::Unknown => t!(in texts, "mail.device.unknown").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Language;

    fn device(user_agent: &str) -> String {
        describe_device(Language::default().texts(), user_agent)
    }

    fn network(address: &str) -> String {
        describe_network(Language::default().texts(), address)
    }

    #[test]
    fn user_agents_are_described_as_text() {
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
        assert_eq!(device("curl/8.5 (Linux)"), "A program on Linux");
        let german = Language::from_tag("de").expect("a language");
        assert_eq!(describe_device(german.texts(), chrome), "Chrome auf Linux");
    }

    #[test]
    fn addresses_are_described_by_network() {
        assert_eq!(network("203.0.113.77"), "203.0.113.*");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:*");
        assert_eq!(network(""), "");
        assert_eq!((network("0.0.0.0").as_str(), device(COMMAND_LINE_AGENT).as_str()), ("the server", "Command line"));
    }
}
