//! Mails: what they say, how they leave, and the queue that they wait in.
//!
//! Whoever does something that a mail tells of puts the mail into the transaction of the act (`Tx::insert_mail`), which
//! enqueues a job for it. The [`Outbox`] runs that job.

mod letters;
mod notices;
mod outbox;
mod sentences;
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

pub use letters::{Letter, moment};
pub use notices::Notices;
pub use outbox::Outbox;
pub use sentences::Notice;

use self::smtp::MailServer;
use super::{config::MailConfig, store::UnsentMail};

/// How long sending one mail may take in all.
const IN_ALL: Duration = Duration::from_secs(30);

/// Why a mail was not sent. Holds neither its texts nor the password of the mail server.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The configuration does not lead to a mail server.
    #[error("the mail server's address cannot be used")]
    Server,
    /// The sender's or the recipient's address is none.
    #[error("the address is not one: {0}")]
    Address(#[from] lettre::address::AddressError),
    /// The mail cannot be put together.
    #[error("the mail cannot be written: {0}")]
    Form(#[from] lettre::error::Error),
    /// The mail server is not reached, or does not let us in; the mail has not been named yet.
    #[error("{0}")]
    Unwelcome(#[source] lettre::transport::smtp::Error),
    /// The mail server does not take it.
    #[error("{0}")]
    Refused(#[source] lettre::transport::smtp::Error),
    /// The mail server takes too long.
    #[error("the mail server took longer than {} seconds", IN_ALL.as_secs())]
    Slow,
}

/// Sends mails over SMTP.
#[derive(Debug, Clone)]
pub struct Mailer {
    server: MailServer,
    from: Mailbox,
}

impl Mailer {
    /// A mailer for this configuration. Connects to nobody yet.
    ///
    /// # Errors
    /// [`MailError::Server`] and [`MailError::Address`] where the configuration was not checked.
    pub fn new(config: &MailConfig) -> Result<Self, MailError> {
        let from: Mailbox = config.from.parse()?;
        // Servers want to hear a name; that of the machine would tell more than that of the sender.
        let hello = ClientId::Domain(from.email.domain().to_owned());
        Ok(Self { server: MailServer::parse(config.smtp_url.expose_secret(), hello)?, from })
    }

    /// Hands a mail to the mail server. Every attempt carries the same id.
    ///
    /// # Errors
    /// As the mail server says.
    pub async fn send(&self, mail: &UnsentMail) -> Result<(), MailError> {
        let message = self.message(mail)?;
        tokio::time::timeout(IN_ALL, self.server.send(&message)).await.unwrap_or(Err(MailError::Slow))
    }

    fn message(&self, mail: &UnsentMail) -> Result<Message, MailError> {
        let recipient: Address = mail.recipient.parse()?;
        let written = Duration::from_micros(u64::try_from(mail.created_at.micros()).unwrap_or_default());
        // So that nobody's "I am on holiday" answers.
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
    fn a_mail_has_both_parts_and_says_that_nobody_needs_to_answer() {
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
    fn row_13_nothing_becomes_a_header() {
        for bad in ["a@b.org\r\nBcc: x@y.org", "a@b.org, x@y.org", "x", "", "a@b.org\0", "a@b.org\n"] {
            assert!(matches!(mailer().message(&mail(bad, "Hello")), Err(MailError::Address(_))), "{bad:?}");
        }
        let message = mailer().message(&mail("a@b.org", "Hello\r\nBcc: x@y.org")).expect("a message").formatted();
        let text = String::from_utf8(message).expect("ASCII");
        assert!(!text.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{text}");
    }
}
