//! Where an act comes from, as far as it is written down.

use super::ClientAddress;
use crate::{
    domain::{AuditAction, Outcome, UserId},
    server::{
        clock::Clock,
        store::{NewAuditEntry, StoreError, Tx},
    },
};

/// Bytes of a browser's name that are kept.
const AGENT_BYTES: usize = 300;

/// The machine and the browser that a request comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The machine.
    pub address: ClientAddress,
    /// The browser, as it names itself: cut, and without control characters.
    pub user_agent: String,
}

impl Origin {
    /// An origin with what a browser says of itself.
    pub fn new(address: ClientAddress, user_agent: &str) -> Self {
        let user_agent: String = user_agent.chars().filter(|c| !c.is_control()).collect();
        let end = user_agent.floor_char_boundary(AGENT_BYTES);
        Self { address, user_agent: user_agent[..end].to_owned() }
    }

    /// The operator, on the server's own machine.
    pub fn command_line() -> Self {
        Self::new(ClientAddress::default(), COMMAND_LINE)
    }

    /// The server itself, when the time has come for something.
    pub fn server() -> Self {
        Self::new(ClientAddress::default(), SERVER)
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
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        // Of what was refused it is not known who tried.
        let actor = (outcome == Outcome::Done).then_some(user);
        self.write(tx, clock, &Act { actor, subject: Some(user), action, outcome, detail: "" }).await
    }

    /// Writes down what somebody did from here with their own account, and on what.
    pub(super) async fn note_of(
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

    /// Writes down what was refused without concerning any account.
    pub(super) async fn note_of_nobody(
        &self,
        tx: &mut Tx,
        clock: &Clock,
        action: AuditAction,
    ) -> Result<(), StoreError> {
        self.write(tx, clock, &Act { actor: None, subject: None, action, outcome: Outcome::Refused, detail: "" }).await
    }

    /// Writes an act down, in its transaction.
    pub(super) async fn write(&self, tx: &mut Tx, clock: &Clock, act: &Act<'_>) -> Result<(), StoreError> {
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
pub(super) struct Act<'a> {
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

/// What the operator's commands say in place of a browser's name.
const COMMAND_LINE: &str = "command line";
/// What the server says of itself.
const SERVER: &str = "server";

/// The beginning of an address, enough to recognize one's own network: all but the last byte of IPv4, the /48 of IPv6.
pub(super) fn place(address: &str) -> String {
    match address.parse() {
        // This came over no network.
        Ok(std::net::IpAddr::V4(v4)) if v4.is_unspecified() => "the server".to_owned(),
        Ok(std::net::IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.*")
        }
        Ok(std::net::IpAddr::V6(v6)) => {
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
        (None, None) => "Unknown browser".to_owned(),
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
    fn row_76_what_a_browser_says_is_one_short_line() {
        let origin = Origin::new(ClientAddress::default(), &format!("a\r\nb\x1b[31m{}", "é".repeat(400)));
        assert!(origin.user_agent.starts_with("ab[31m") && origin.user_agent.len() <= AGENT_BYTES);
    }
}
