//! Metadata of a request, as the audit log records it.

use std::net::IpAddr;

use axum::http::{Extensions, HeaderMap, header::USER_AGENT};

use super::{
    AuditEvent, ClientAddress, RefusedEvent, SharedAddress,
    device::{Agent, COMMAND_LINE_AGENT, SERVER_AGENT, mask_address, parse_user_agent},
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

/// Maximum length of a stored user agent, in bytes.
const MAX_USER_AGENT_BYTES: usize = 300;

/// Where a request comes from: client address, user agent and language.
#[derive(Debug, Clone, Default)]
pub struct RequestMeta {
    /// The client address.
    pub address: ClientAddress,
    /// Whether many clients may share that address, so that rate limits by address are loose.
    pub is_shared_address: bool,
    /// The user agent, truncated and without control characters.
    pub user_agent: String,
    /// The language of the response.
    pub language: Language,
}

impl RequestMeta {
    /// Creates the metadata from an address and a user agent.
    pub fn new(address: ClientAddress, user_agent: &str) -> Self {
        let user_agent: String = user_agent.chars().filter(|c| !c.is_control()).collect();
        let end = user_agent.floor_char_boundary(MAX_USER_AGENT_BYTES);
        Self { address, user_agent: user_agent[..end].to_owned(), ..Self::default() }
    }

    /// The metadata of a request, from its headers and the extensions set by the middleware.
    pub fn from_request(extensions: &Extensions, headers: &HeaderMap) -> Self {
        let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let meta = Self::new(extensions.get::<ClientAddress>().copied().unwrap_or_default(), user_agent);
        let language = extensions.get::<Language>().copied().unwrap_or_default();
        Self { is_shared_address: extensions.get::<SharedAddress>().is_some(), language, ..meta }
    }

    /// The operator on the command line.
    pub fn command_line() -> Self {
        Self::new(ClientAddress::default(), COMMAND_LINE_AGENT)
    }

    /// The server itself, for scheduled actions.
    pub fn server() -> Self {
        Self::new(ClientAddress::default(), SERVER_AGENT)
    }

    /// Describes device and network, as part of a sentence.
    pub fn describe_in(&self, texts: &Texts) -> String {
        let place = self.network_in(texts);
        match parse_user_agent(&self.user_agent) {
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

    /// Whether an earlier sign-in with this user agent and address is probably the same user's: same browser and
    /// system, same provider network. Both change by themselves, so a difference is never refused, only reported to the
    /// user.
    pub fn resembles(&self, user_agent: &str, address: &str) -> bool {
        let same_network =
            address.parse::<IpAddr>().is_ok_and(|other| provider_network(other) == provider_network(self.address.0));
        same_network && parse_user_agent(user_agent) == parse_user_agent(&self.user_agent)
    }

    /// The client's network, as part of a sentence.
    pub fn network_in(&self, texts: &Texts) -> String {
        mask_address(self.address.0.to_canonical()).unwrap_or_else(|| t!(in texts, "mail.by.from_server").to_owned())
    }

    /// Records an action of a user on their own account, in the transaction of the action.
    pub async fn record_own(
        &self,
        tx: &mut Tx,
        clock: &Clock,
        user: UserId,
        action: AuditAction,
    ) -> Result<(), StoreError> {
        self.record_own_with_detail(tx, clock, user, action, "").await
    }

    /// Like [`Self::record_own`], with a detail.
    pub async fn record_own_with_detail(
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

    /// Returns `result`, and records it if it is a refusal. Other errors are not recorded here: exceeded rate limits
    /// are recorded by the rate limits, and an unavailable service refuses no one.
    ///
    /// # Errors
    /// The error of `result`, or a database error.
    pub async fn record_if_refused<T>(
        &self,
        store: &Store,
        clock: &Clock,
        refusal: RefusedEvent<'_>,
        result: Result<T, Fault>,
    ) -> Result<T, Fault> {
        if let Err(Fault::App(
            AppError::Invalid { .. } | AppError::Conflict { .. } | AppError::Forbidden | AppError::Unauthenticated,
        )) = &result
        {
            let RefusedEvent { subject, action, detail } = refusal;
            let event = AuditEvent { actor: None, subject, action, outcome: Outcome::Refused, detail };
            let mut tx = store.write().await?;
            self.record(&mut tx, clock, &event).await?;
            tx.commit().await?;
        }
        result
    }

    /// Records an event in the given transaction.
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

/// The network from which an internet provider assigns addresses, approximately: the /16 of IPv4, the /32 of IPv6.
fn provider_network(address: IpAddr) -> (u16, u16) {
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
    fn r05_known_devices_are_told_apart_from_new_ones() {
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
        assert_eq!(RequestMeta::command_line().describe_in(english), "on the server's command line");
        let german = Language::from_tag("de").expect("a language").texts();
        assert_eq!(of("203.0.113.7").describe_in(german), "mit Firefox auf Linux, von 203.0.113.* aus");
    }

    #[test]
    fn row_76_user_agents_are_truncated_and_sanitized() {
        let meta = RequestMeta::new(ClientAddress::default(), &format!("a\r\nb\x1b[31m{}", "é".repeat(400)));
        assert!(meta.user_agent.starts_with("ab[31m") && meta.user_agent.len() <= MAX_USER_AGENT_BYTES);
    }
}
