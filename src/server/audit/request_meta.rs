//! Where a request comes from, as far as the audit records it.

use std::net::IpAddr;

use axum::http::{Extensions, HeaderMap, header::USER_AGENT};

use super::{
    AuditEvent, ClientAddress, HiddenAddress, Refusal,
    device::{Agent, COMMAND_LINE, SERVER, agent, network_of},
};
use crate::{
    domain::{AppError, AuditAction, Outcome, UserId},
    i18n::{Language, Texts},
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
pub struct RequestMeta {
    /// The machine.
    pub address: ClientAddress,
    /// Whether many machines may be behind that address, so that tries from it say little of any one.
    pub is_hidden: bool,
    /// The browser, as it names itself: cut, and without control characters.
    pub user_agent: String,
    /// The language in which it is answered.
    pub language: Language,
}

impl RequestMeta {
    /// What an address and the words of a browser say.
    pub fn new(address: ClientAddress, user_agent: &str) -> Self {
        let user_agent: String = user_agent.chars().filter(|c| !c.is_control()).collect();
        let end = user_agent.floor_char_boundary(AGENT_BYTES);
        Self { address, user_agent: user_agent[..end].to_owned(), ..Self::default() }
    }

    /// Where a request comes from, with what the layers have found out about it.
    pub fn from_request(extensions: &Extensions, headers: &HeaderMap) -> Self {
        let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let meta = Self::new(extensions.get::<ClientAddress>().copied().unwrap_or_default(), user_agent);
        let language = extensions.get::<Language>().copied().unwrap_or_default();
        Self { is_hidden: extensions.get::<HiddenAddress>().is_some(), language, ..meta }
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
    pub fn describe_in(&self, texts: &Texts) -> String {
        let place = self.network_in(texts);
        match agent(&self.user_agent) {
            Agent::CommandLine => t!(in texts, "mail.by.command_line").to_owned(),
            Agent::Server => t!(in texts, "mail.by.server").to_owned(),
            Agent::BrowserOn(browser, system) => {
                t!(in texts, "mail.by.browser_on", browser = browser, system = system, place = place)
            }
            Agent::Browser(browser) => t!(in texts, "mail.by.browser", browser = browser, place = place),
            Agent::ProgramOn(system) => t!(in texts, "mail.by.program_on", system = system, place = place),
            Agent::Unknown => t!(in texts, "mail.by.unknown", place = place),
        }
    }

    /// Whether somebody who came from there before, with that browser, may well be the same: the same browser and system, and
    /// a network of the same provider. Both change on their own, so neither is held against a person but told to them.
    pub fn resembles(&self, user_agent: &str, address: &str) -> bool {
        let same_network = address.parse::<IpAddr>().is_ok_and(|other| wide(other) == wide(self.address.0));
        same_network && agent(user_agent) == agent(&self.user_agent)
    }

    /// The network of the machine, in words, as a part of a sentence that says what came from there.
    pub fn network_in(&self, texts: &Texts) -> String {
        network_of(self.address.0.to_canonical()).unwrap_or_else(|| t!(in texts, "mail.by.from_server").to_owned())
    }

    /// Records what somebody did with their own account, in the transaction of the act.
    pub async fn record_own(
        &self,
        tx: &mut Tx,
        clock: &Clock,
        user: UserId,
        action: AuditAction,
    ) -> Result<(), StoreError> {
        self.record_own_on(tx, clock, user, action, "").await
    }

    /// Records what somebody did with their own account, and on what.
    pub async fn record_own_on(
        &self,
        tx: &mut Tx,
        clock: &Clock,
        user: UserId,
        action: AuditAction,
        detail: &str,
    ) -> Result<(), StoreError> {
        let outcome = Outcome::Done;
        self.record(tx, clock, &AuditEvent { actor: Some(user), subject: Some(user), action, outcome, detail }).await
    }

    /// Passes a result on, and records it where somebody was refused. Other failures are not recorded here: too many tries
    /// are recorded by the rate limits, and a service that does not answer refuses nobody.
    ///
    /// # Errors
    /// The result's own, or as the database says.
    pub async fn record_if_refused<T>(
        &self,
        store: &Store,
        clock: &Clock,
        refusal: Refusal<'_>,
        result: Result<T, Fault>,
    ) -> Result<T, Fault> {
        if let Err(Fault::App(
            AppError::Invalid { .. } | AppError::Conflict { .. } | AppError::Forbidden | AppError::Unauthenticated,
        )) = &result
        {
            let Refusal { subject, action, detail } = refusal;
            let event = AuditEvent { actor: None, subject, action, outcome: Outcome::Refused, detail };
            let mut tx = store.write().await?;
            self.record(&mut tx, clock, &event).await?;
            tx.commit().await?;
        }
        result
    }

    /// Records an event, in its transaction.
    pub async fn record(&self, tx: &mut Tx, clock: &Clock, event: &AuditEvent<'_>) -> Result<(), StoreError> {
        tx.insert_audit_entry(&NewAuditEntry {
            id: clock.new_id(),
            at: clock.now(),
            actor: event.actor,
            subject: event.subject,
            action: event.action,
            outcome: event.outcome,
            detail: event.detail,
            address: &self.address.0.to_canonical().to_string(),
            user_agent: &self.user_agent,
        })
        .await
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
    fn r05_a_known_browser_in_a_known_network_is_told_from_others() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0";
        let newer = firefox.replace("142", "143");
        let of = |address: &str| RequestMeta::new(ClientAddress(address.parse().expect("an address")), firefox);
        assert!(of("203.0.113.7").resembles(&newer, "203.0.1.200"), "an update, and another machine of the provider");
        assert!(of("::ffff:203.0.113.7").resembles(firefox, "203.0.113.7"));
        assert!(of("2001:db8:1::1").resembles(firefox, "2001:db8:ffff::2"));
        assert!(!of("203.0.113.7").resembles(firefox, "198.51.100.7"));
        assert!(!of("203.0.113.7").resembles("curl/8.5", "203.0.113.7"));
        assert!(!of("203.0.113.7").resembles(firefox, ""));
        let english = Language::default().texts();
        assert_eq!(of("203.0.113.7").describe_in(english), "with Firefox on Linux, from 203.0.113.*");
        assert_eq!(RequestMeta::command_line().describe_in(english), "at the command line of the server");
        let german = Language::from_tag("de").expect("a language").texts();
        assert_eq!(of("203.0.113.7").describe_in(german), "mit Firefox auf Linux, von 203.0.113.* aus");
    }

    #[test]
    fn row_76_what_a_browser_says_is_one_short_line() {
        let meta = RequestMeta::new(ClientAddress::default(), &format!("a\r\nb\x1b[31m{}", "é".repeat(400)));
        assert!(meta.user_agent.starts_with("ab[31m") && meta.user_agent.len() <= AGENT_BYTES);
    }
}
