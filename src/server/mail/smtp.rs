//! The way to the mail server, and what its refusals mean.
//!
//! `lettre` speaks the protocol. It is driven in two steps here, because a refusal means something else in each: before the
//! mail is named, it is this installation that is refused, afterwards it is the mail.

use std::{fmt, time::Duration};

use lettre::{
    Message,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        extension::ClientId,
    },
};
use reqwest::Url;

use super::MailError;

/// How long the mail server may take to be reached.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take to say goodbye, once it has the mail.
const GOODBYE: Duration = Duration::from_secs(1);

/// A mail server, from an address like `smtps://user:password@host`.
#[derive(Debug, Clone)]
pub(super) struct MailServer {
    host: String,
    port: u16,
    security: Security,
    login: Option<Credentials>,
    /// What we call ourselves.
    hello: ClientId,
}

#[derive(Clone)]
enum Security {
    /// None: on this machine.
    Plain,
    /// The connection begins in the clear and is then encrypted, or ended.
    StartTls(TlsParameters),
    /// From the first byte.
    Tls(TlsParameters),
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::StartTls(_) => "StartTls",
            Self::Tls(_) => "Tls",
        })
    }
}

/// What to do after a mail was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Try again: it may pass by itself.
    TryLater,
    /// Give the mail up: it would be refused as often as it is tried.
    GiveUp,
    /// Somebody must change a setting, here or at the mail server; then it will work.
    ChangeSetting,
}

impl MailServer {
    /// # Errors
    /// [`MailError::Server`] for an address that the configuration would not have let through.
    pub fn parse(url: &str, hello: ClientId) -> Result<Self, MailError> {
        let url: Url = url.parse().map_err(|_| MailError::Server)?;
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = || TlsParameters::new(host.clone()).map_err(|_| MailError::Server);
        let (security, port) = match (url.scheme(), url.query()) {
            ("smtps", _) => (Security::Tls(tls()?), 465),
            ("smtp", Some("tls=required")) => (Security::StartTls(tls()?), 587),
            ("smtp", None) => (Security::Plain, 25),
            _ => return Err(MailError::Server),
        };
        let login = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        Ok(Self { port: url.port().unwrap_or(port), host, security, login, hello })
    }

    /// Hands a mail over. Returns once the server has taken it.
    pub async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mut connection = self.connect().await.map_err(MailError::Unwelcome)?;
        connection.send(message.envelope(), &message.formatted()).await.map_err(MailError::Refused)?;
        // Whatever comes of this, the server has the mail.
        let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let wrapper = match &self.security {
            Security::Tls(tls) => Some(tls.clone()),
            Security::StartTls(_) | Security::Plain => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &self.hello, wrapper, None).await?;
        if let Security::StartTls(tls) = &self.security {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        Ok(connection)
    }
}

/// A part of an address with its `%XX` read.
fn decoded(part: &str) -> Result<String, MailError> {
    let (mut bytes, mut rest) = (Vec::new(), part.as_bytes());
    while let [first, tail @ ..] = rest {
        let digits = (*first == b'%').then(|| tail.get(..2)).flatten();
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).map_err(|_| MailError::Server)
}

impl MailError {
    /// What to do after it.
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            // Refused, no encryption that both can, or no way to sign in that both know.
            Self::Unwelcome(error) if error.is_permanent() || error.is_tls() || error.is_client() => {
                Remedy::ChangeSetting
            }
            Self::Refused(error) if error.is_permanent() => remedy_of_refusal(&error.to_string(), code_of(error)),
            // What was written down of the mail will be the same the next time.
            Self::Address(_) | Self::Form(_) => Remedy::GiveUp,
            Self::Unwelcome(_) | Self::Refused(_) | Self::Slow => Remedy::TryLater,
            Self::Server => Remedy::ChangeSetting,
        }
    }

    /// The mail server's code, where it gave one.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Unwelcome(error) | Self::Refused(error) => code_of(error),
            _ => None,
        }
    }
}

fn code_of(error: &Error) -> Option<u16> {
    error.status()?.to_string().parse().ok()
}

/// What a lasting refusal (5xx) of a mail means. `text` holds the server's words, perhaps with an enhanced code (RFC 3463).
fn remedy_of_refusal(text: &str, code: Option<u16>) -> Remedy {
    // Where an enhanced code stands, and nowhere else: the rest repeats the recipient's address, which others choose.
    let words = text.split_once("): ").map_or("", |(_, words)| words);
    let enhanced = words.split_ascii_whitespace().next().unwrap_or_default();
    let says = |wanted: &str| enhanced == wanted;
    match code {
        // The command is not known, the sender must sign in, or sign in otherwise: no other mail would fare better.
        Some(500 | 502 | 503 | 504 | 530 | 534 | 535 | 538) => Remedy::ChangeSetting,
        // The sender is refused, which is ours.
        _ if says("5.1.7") || says("5.1.8") => Remedy::ChangeSetting,
        // A mailbox that is full may be emptied; a server with too many recipients takes them later (RFC 5321, section
        // 4.5.3.1.10). A mail that is too large stays so.
        Some(552) if !says("5.3.4") => Remedy::TryLater,
        _ => Remedy::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_of_the_mail_or_of_us_or_passes() {
        for (code, text, remedy) in [
            (550, "permanent error (550): 5.1.1 No such user", Remedy::GiveUp),
            (550, "permanent error (550): nobody", Remedy::GiveUp),
            (550, "permanent error (550): 5.1.1 <5.1.8@example.org>: unknown", Remedy::GiveUp),
            (550, "permanent error (550): <5.1.8@example.org>: 5.1.8", Remedy::GiveUp),
            (551, "permanent error (551): not local", Remedy::GiveUp),
            (553, "permanent error (553): 5.1.3 bad mailbox", Remedy::GiveUp),
            (554, "permanent error (554): 5.7.1 spam", Remedy::GiveUp),
            (501, "permanent error (501): 5.1.3 bad syntax", Remedy::GiveUp),
            (552, "permanent error (552): 5.3.4 too large", Remedy::GiveUp),
            (552, "permanent error (552): 5.2.2 mailbox full", Remedy::TryLater),
            (552, "permanent error (552): too many recipients", Remedy::TryLater),
            (530, "permanent error (530): 5.7.0 sign in first", Remedy::ChangeSetting),
            (535, "permanent error (535): 5.7.8 wrong", Remedy::ChangeSetting),
            (550, "permanent error (550): 5.1.8 no such domain", Remedy::ChangeSetting),
            (553, "permanent error (553): 5.1.7 not your address", Remedy::ChangeSetting),
            (503, "permanent error (503): bad sequence", Remedy::ChangeSetting),
        ] {
            assert_eq!(remedy_of_refusal(text, Some(code)), remedy, "{text}");
        }
    }

    #[test]
    fn a_mail_server_is_read_from_its_address() {
        let parse = |url: &str| MailServer::parse(url, ClientId::Domain("example.org".to_owned()));
        let server = parse("smtps://chat%40example.org:p%25+%20%C3%BC@mail.example.org").expect("a server");
        assert_eq!((server.host.as_str(), server.port), ("mail.example.org", 465));
        assert!(matches!(server.security, Security::Tls(_)));
        assert_eq!(server.login, Some(Credentials::new("chat@example.org".to_owned(), "p%+ ü".to_owned())));
        let server = parse("smtp://u:p@mail.example.org?tls=required").expect("a server");
        assert!(matches!(server.security, Security::StartTls(_)) && server.port == 587);
        let server = parse("smtp://[::1]:2525").expect("a server");
        assert_eq!((server.host.as_str(), server.port, server.login), ("::1", 2_525, None));
        assert!(parse("http://mail.example.org").is_err() && parse("smtp://h?tls=maybe").is_err());
        assert!(!format!("{:?}", parse("smtps://user:secret@h")).contains("secret"));
    }
}
