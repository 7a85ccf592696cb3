//! The SMTP client, and the meaning of SMTP errors.
//!
//! `lettre` implements the protocol. Connecting and sending are separate steps here because a rejection means something
//! else in each: before the mail is offered it concerns this installation, afterwards the mail.

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

/// The timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout of `QUIT`, after the server has accepted the mail.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A mail server, parsed from a URL such as `smtps://user:password@host`.
#[derive(Debug, Clone)]
pub(super) struct MailServer {
    host: String,
    port: u16,
    security: Security,
    login: Option<Credentials>,
    /// The name that is sent with `EHLO`.
    client_id: ClientId,
}

#[derive(Clone)]
enum Security {
    /// No encryption. Only for a server on this machine.
    Plain,
    /// The connection starts unencrypted and must be upgraded with STARTTLS.
    StartTls(TlsParameters),
    /// TLS from the start.
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

/// What to do about a mail that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Retry: the error may be temporary.
    Retry,
    /// Give up: the mail would be rejected again.
    GiveUp,
    /// A setting must be changed, here or at the mail server; then the mail can be sent.
    ChangeSetting,
}

impl MailServer {
    /// # Errors
    /// [`MailError::Server`] for a URL that the configuration would have rejected.
    pub fn parse(url: &str, client_id: ClientId) -> Result<Self, MailError> {
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
            Some(password) => Some(Credentials::new(percent_decode(url.username())?, percent_decode(password)?)),
            None => None,
        };
        Ok(Self { port: url.port().unwrap_or(port), host, security, login, client_id })
    }

    /// Sends a mail. Returns when the server has accepted it.
    pub async fn send(&self, message: &Message) -> Result<(), MailError> {
        let mut connection = self.connect().await.map_err(MailError::Connection)?;
        connection.send(message.envelope(), &message.formatted()).await.map_err(MailError::Rejected)?;
        // The server has accepted the mail, whatever the result of `QUIT`.
        let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let wrapper = match &self.security {
            Security::Tls(tls) => Some(tls.clone()),
            Security::StartTls(_) | Security::Plain => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIMEOUT), &self.client_id, wrapper, None).await?;
        if let Security::StartTls(tls) = &self.security {
            connection.starttls(tls.clone(), &self.client_id).await?;
        }
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await?;
        }
        Ok(connection)
    }
}

/// Percent-decodes a part of the URL.
fn percent_decode(part: &str) -> Result<String, MailError> {
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
    /// What to do about this error.
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            // Permanently rejected, no common TLS version, or no common authentication mechanism.
            Self::Connection(error) if error.is_permanent() || error.is_tls() || error.is_client() => {
                Remedy::ChangeSetting
            }
            Self::Rejected(error) if error.is_permanent() => {
                remedy_for_rejection(&error.to_string(), reply_code(error))
            }
            // The stored mail will be the same at the next attempt.
            Self::Address(_) | Self::Build(_) => Remedy::GiveUp,
            Self::Connection(_) | Self::Rejected(_) | Self::TimedOut => Remedy::Retry,
            Self::Server => Remedy::ChangeSetting,
        }
    }

    /// The SMTP reply code, if the server sent one.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Connection(error) | Self::Rejected(error) => reply_code(error),
            _ => None,
        }
    }
}

fn reply_code(error: &Error) -> Option<u16> {
    error.status()?.to_string().parse().ok()
}

/// The meaning of a permanent rejection (5xx) of a mail. `text` contains the server's message, which may start with an
/// enhanced status code (RFC 3463).
fn remedy_for_rejection(text: &str, code: Option<u16>) -> Remedy {
    // The enhanced code is read only at its position: the rest repeats the recipient's address, which strangers can
    // choose.
    let words = text.split_once("): ").map_or("", |(_, words)| words);
    let enhanced = words.split_ascii_whitespace().next().unwrap_or_default();
    let is = |expected: &str| enhanced == expected;
    match code {
        // Unknown command, authentication required, or another mechanism required: any other mail would fail too.
        Some(500 | 502 | 503 | 504 | 530 | 534 | 535 | 538) => Remedy::ChangeSetting,
        // The sender address, which is configured, is rejected.
        _ if is("5.1.7") || is("5.1.8") => Remedy::ChangeSetting,
        // A full mailbox may be emptied, and a server with too many recipients accepts them later (RFC 5321, section
        // 4.5.3.1.10). A mail that is too large stays too large.
        Some(552) if !is("5.3.4") => Remedy::Retry,
        _ => Remedy::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejections_are_classified_by_their_code() {
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
            (552, "permanent error (552): 5.2.2 mailbox full", Remedy::Retry),
            (552, "permanent error (552): too many recipients", Remedy::Retry),
            (530, "permanent error (530): 5.7.0 sign in first", Remedy::ChangeSetting),
            (535, "permanent error (535): 5.7.8 wrong", Remedy::ChangeSetting),
            (550, "permanent error (550): 5.1.8 no such domain", Remedy::ChangeSetting),
            (553, "permanent error (553): 5.1.7 not your address", Remedy::ChangeSetting),
            (503, "permanent error (503): bad sequence", Remedy::ChangeSetting),
        ] {
            assert_eq!(remedy_for_rejection(text, Some(code)), remedy, "{text}");
        }
    }

    #[test]
    fn a_mail_server_is_parsed_from_its_url() {
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
