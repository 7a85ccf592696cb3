//! Where an act comes from, as far as it is written down.

use std::net::IpAddr;

use axum::http::{Extensions, HeaderMap, header::USER_AGENT};

use super::{ClientAddress, HiddenAddress};
use crate::{
    domain::{AppError, AuditAction, Outcome, UserId},
    server::{
        clock::Clock,
        fault::Fault,
        store::{NewAuditEntry, Store, StoreError, Tx},
    },
};

/// Bytes of a browser's name that are kept.
const AGENT_BYTES: usize = 300;

/// The machine and the browser that a request comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The machine.
    pub address: ClientAddress,
    /// Whether many machines may be behind that address, so that tries from it say little of any one.
    pub is_hidden: bool,
    /// The browser, as it names itself: cut, and without control characters.
    pub user_agent: String,
}

impl Origin {
    /// An origin with what a browser says of itself.
    pub fn new(address: ClientAddress, user_agent: &str) -> Self {
        let user_agent: String = user_agent.chars().filter(|c| !c.is_control()).collect();
        let end = user_agent.floor_char_boundary(AGENT_BYTES);
        Self { address, is_hidden: false, user_agent: user_agent[..end].to_owned() }
    }

    /// Where a request comes from, with what the layers have found out about it.
    pub fn of_request(extensions: &Extensions, headers: &HeaderMap) -> Self {
        let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let origin = Self::new(extensions.get::<ClientAddress>().copied().unwrap_or_default(), user_agent);
        Self { is_hidden: extensions.get::<HiddenAddress>().is_some(), ..origin }
    }

    /// The operator, on the server's own machine.
    pub fn command_line() -> Self {
        Self::new(ClientAddress::default(), COMMAND_LINE)
    }

    /// The server itself, when the time has come for something.
    pub fn server() -> Self {
        Self::new(ClientAddress::default(), SERVER)
    }

    /// By what and from where, in words, as a part of a sentence.
    pub(super) fn told(&self) -> String {
        match self.user_agent.as_str() {
            COMMAND_LINE => "at the command line of the server".to_owned(),
            SERVER => "by the server itself".to_owned(),
            agent => match device(agent).as_str() {
                UNKNOWN => format!("with an unknown browser, from {}", self.place()),
                device => format!("with {device}, from {}", self.place()),
            },
        }
    }

    /// Whether somebody who came from there before, with that browser, may well be the same: the same browser and system, and
    /// a network of the same provider. Both change on their own, so neither is held against a person but told to them.
    pub(super) fn resembles(&self, user_agent: &str, address: &str) -> bool {
        let same_network = address.parse::<IpAddr>().is_ok_and(|other| wide(other) == wide(self.address.0));
        same_network && device(user_agent) == device(&self.user_agent)
    }

    /// The machine's network for people.
    pub(super) fn place(&self) -> String {
        place(&self.address.0.to_canonical().to_string())
    }

    /// Writes down what somebody did from here with their own account, in the transaction of the act.
    pub(super) async fn note(
        &self,
        tx: &mut Tx,
        clock: &Clock,
        user: UserId,
        action: AuditAction,
    ) -> Result<(), StoreError> {
        self.note_of(tx, clock, user, action, "").await
    }

    /// Writes down what somebody did from here with their own account, and on what.
    ///
    /// # Errors
    /// As the database says.
    pub async fn note_of(
        &self,
        tx: &mut Tx,
        clock: &Clock,
        user: UserId,
        action: AuditAction,
        detail: &str,
    ) -> Result<(), StoreError> {
        let act = Act { actor: Some(user), subject: Some(user), action, outcome: Outcome::Done, detail };
        self.write(tx, clock, &act).await
    }

    /// Passes on how something ended, and writes it down where somebody was refused. Other failures are none of that
    /// kind: too many tries are written down by the throttle, and a service that does not answer refuses nobody.
    pub(super) async fn note_if_refused<T>(
        &self,
        store: &Store,
        clock: &Clock,
        act: Refusal<'_>,
        ended: Result<T, Fault>,
    ) -> Result<T, Fault> {
        if let Err(Fault::App(
            AppError::Invalid { .. } | AppError::Conflict { .. } | AppError::Forbidden | AppError::Unauthenticated,
        )) = &ended
        {
            let Refusal { subject, action, detail } = act;
            let mut tx = store.write().await?;
            self.write(&mut tx, clock, &Act { actor: None, subject, action, outcome: Outcome::Refused, detail })
                .await?;
            tx.commit().await?;
        }
        ended
    }

    /// Writes an act down, in its transaction.
    ///
    /// # Errors
    /// As the database says.
    pub async fn write(&self, tx: &mut Tx, clock: &Clock, act: &Act<'_>) -> Result<(), StoreError> {
        tx.insert_audit_entry(&NewAuditEntry {
            id: clock.new_id(),
            at: clock.now(),
            actor: act.actor,
            subject: act.subject,
            action: act.action,
            outcome: act.outcome,
            detail: act.detail,
            address: &self.address.0.to_canonical().to_string(),
            user_agent: &self.user_agent,
        })
        .await
    }
}

/// Who did what, on whom or what, with which result.
#[derive(Debug)]
pub struct Act<'a> {
    /// Who, where that is known; nobody at the command line.
    pub actor: Option<UserId>,
    /// Whose account it concerns, if anybody's.
    pub subject: Option<UserId>,
    /// What.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: Outcome,
    /// On what: a name or an id, never a text of a message, never a secret.
    pub detail: &'a str,
}

/// What may come to be refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal<'a> {
    /// Whose account it concerns, where that is known.
    pub subject: Option<UserId>,
    /// What.
    pub action: AuditAction,
    /// On what, as in [`Act`].
    pub detail: &'a str,
}

/// What the operator's commands say in place of a browser's name.
const COMMAND_LINE: &str = "command line";
/// A browser that is none that we know.
const UNKNOWN: &str = "Unknown browser";
/// What the server says of itself.
const SERVER: &str = "server";

/// The beginning of an address, enough to recognize one's own network: all but the last byte of IPv4, the /48 of IPv6.
pub(super) fn place(address: &str) -> String {
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
pub(super) fn device(user_agent: &str) -> String {
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

/// The network that a provider of access gives out addresses from, as far as an address tells: the /16 of IPv4, the /32 of
/// IPv6.
fn wide(address: IpAddr) -> (u16, u16) {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            (u16::from(a), u16::from(b))
        }
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            (a, b)
        }
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
        assert_eq!(place("203.0.113.77"), "203.0.113.*");
        assert_eq!(place("2001:db8:1:2:3:4:5:6"), "2001:db8:1:*");
        assert_eq!(place(""), "");
        assert_eq!(
            (Origin::command_line().place().as_str(), device(COMMAND_LINE).as_str()),
            ("the server", "Command line")
        );
    }

    #[test]
    fn r05_a_known_browser_in_a_known_network_is_told_from_others() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0";
        let newer = firefox.replace("142", "143");
        let of = |address: &str| Origin::new(ClientAddress(address.parse().expect("an address")), firefox);
        assert!(of("203.0.113.7").resembles(&newer, "203.0.1.200"), "an update, and another machine of the provider");
        assert!(of("::ffff:203.0.113.7").resembles(firefox, "203.0.113.7"));
        assert!(of("2001:db8:1::1").resembles(firefox, "2001:db8:ffff::2"));
        assert!(!of("203.0.113.7").resembles(firefox, "198.51.100.7"));
        assert!(!of("203.0.113.7").resembles("curl/8.5", "203.0.113.7"));
        assert!(!of("203.0.113.7").resembles(firefox, ""));
        assert_eq!(of("203.0.113.7").told(), "with Firefox on Linux, from 203.0.113.*");
        assert_eq!(Origin::command_line().told(), "at the command line of the server");
    }

    #[test]
    fn row_76_what_a_browser_says_is_one_short_line() {
        let origin = Origin::new(ClientAddress::default(), &format!("a\r\nb\x1b[31m{}", "é".repeat(400)));
        assert!(origin.user_agent.starts_with("ab[31m") && origin.user_agent.len() <= AGENT_BYTES);
    }
}
