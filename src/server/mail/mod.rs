//! Mails: their content, their delivery over SMTP, and the outbox.
//!
//! A service inserts a mail in the transaction of the change that it reports (`Tx::insert_mail`), which enqueues a job
//! for it. The [`Outbox`] runs that job.

mod content;
mod notice;
mod notifier;
mod outbox;
mod smtp;

use std::time::{Duration, UNIX_EPOCH};

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::extension::ClientId,
};
use secrecy::ExposeSecret;

pub use content::{MailContent, format_time};
pub use notice::Notice;
pub use notifier::Notifier;
pub use outbox::Outbox;

use self::smtp::MailServer;
use super::{config::MailConfig, store::UnsentMail};

/// The timeout of sending one mail.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a mail was not sent. Contains neither the text of the mail nor the password of the mail server.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The configured mail server is invalid.
    #[error("the mail server's address cannot be used")]
    Server,
    /// The address of the sender or recipient is invalid.
    #[error("the address is not one: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// The message cannot be built.
    #[error("the mail cannot be written: {0}")]
    Build(#[from] lettre::error::Error),
    /// The mail server cannot be reached or rejected the connection or the sign-in. The mail was not offered yet.
    #[error("{0}")]
    Connection(#[source] lettre::transport::smtp::Error),
    /// The mail server rejected the mail.
    #[error("{0}")]
    Rejected(#[source] lettre::transport::smtp::Error),
    /// The mail server did not answer in time.
    #[error("the mail server took longer than {} seconds", SEND_TIMEOUT.as_secs())]
    TimedOut,
}

/// Sends mails over SMTP.
#[derive(Debug, Clone)]
pub struct Mailer {
    server: MailServer,
    from: Mailbox,
}

impl Mailer {
    /// Creates a mailer for this configuration. Does not connect yet.
    ///
    /// # Errors
    /// [`MailError::Server`] and [`MailError::Address`] if the configuration was not validated.
    pub fn new(config: &MailConfig) -> Result<Self, MailError> {
        let from: Mailbox = config.from.parse()?;
        // `EHLO` requires a name. The machine's name would reveal more than the sender's domain.
        let client_id = ClientId::Domain(from.email.domain().to_owned());
        Ok(Self { server: MailServer::parse(config.smtp_url.expose_secret(), client_id)?, from })
    }

    /// Sends a mail. All attempts use the same `Message-ID`.
    ///
    /// # Errors
    /// The error of the mail server.
    pub async fn send(&self, mail: &UnsentMail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        tokio::time::timeout(SEND_TIMEOUT, self.server.send(&message)).await.unwrap_or(Err(MailError::TimedOut))
    }

    fn message(&self, mail: &UnsentMail) -> Result<Message, MailError> {
        let recipient: Address = mail.recipient.parse()?;
        let written = Duration::from_micros(u64::try_from(mail.created_at.micros()).unwrap_or_default());
        // Prevents automatic replies, such as vacation notices.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Ok(Message::builder()
            .from(self.from.clone())
            .to(recipient.into())
            .date(UNIX_EPOCH + written)
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .subject(mail.subject.as_str())
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))?)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::Timestamp;

    fn mailer() -> Mailer {
        let smtp_url = "smtp://127.0.0.1:2525".to_owned().into();
        Mailer::new(&MailConfig { smtp_url, from: "Colloquy <chat@example.org>".to_owned() }).expect("a mailer")
    }

    fn mail(recipient: &str, subject: &str) -> UnsentMail {
        UnsentMail {
            id: Uuid::nil(),
            recipient: recipient.to_owned(),
            subject: subject.to_owned(),
            text: "Grüße".to_owned(),
            html: "<p>Grüße</p>".to_owned(),
            created_at: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn a_mail_has_both_parts_and_is_marked_as_automatic() {
        let message = mailer().message(&mail("ada@example.org", "Hello")).expect("a message").formatted();
        let text = String::from_utf8(message).expect("ASCII");
        for line in [
            "From: Colloquy <chat@example.org>",
            "To: ada@example.org",
            "Subject: Hello",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            "Message-ID: <00000000-0000-0000-0000-000000000000@example.org>",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: text/html; charset=utf-8",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        assert!(text.contains("Content-Type: multipart/alternative;"), "{text}");
    }

    #[test]
    fn row_13_header_injection_is_rejected() {
        for bad in ["a@b.org\r\nBcc: x@y.org", "a@b.org, x@y.org", "x", "", "a@b.org\0", "a@b.org\n"] {
            assert!(matches!(mailer().message(&mail(bad, "Hello")), Err(MailError::Address(_))), "{bad:?}");
        }
        let message = mailer().message(&mail("a@b.org", "Hello\r\nBcc: x@y.org")).expect("a message").formatted();
        let text = String::from_utf8(message).expect("ASCII");
        assert!(!text.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{text}");
    }
}
