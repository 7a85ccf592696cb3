//! The content of mails, in the language of the recipient. Each has a plain text part and the same as HTML: no images,
//! and no links except the one that the mail is about.
//! They contain nothing that a stranger can choose, so they cannot be abused to send messages to others.

use html_escape::encode_quoted_attribute as escape;

use super::Notice;
use crate::{
    domain::{CivilDateTime, Timestamp},
    i18n::Texts,
};

/// The content of a mail, without addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailContent {
    /// The subject line.
    pub subject: &'static str,
    /// The plain text part.
    pub text: String,
    /// The HTML part, with the same content.
    pub html: String,
}

/// A paragraph.
enum Paragraph<'a> {
    Text(String),
    /// A link to our site, with its label.
    Link(&'static str, &'a str),
}
use Paragraph::{Link, Text};

impl MailContent {
    /// Asks the owner of an account to verify their address.
    pub fn verify_address(texts: &Texts, link: &str) -> Self {
        let paragraphs = [
            paragraph(t!(in texts, "mail.verify.first")),
            Link(t!(in texts, "mail.verify.link"), link),
            paragraph(t!(in texts, "mail.unasked")),
        ];
        Self::new(texts, t!(in texts, "mail.verify.subject"), &paragraphs)
    }

    /// Informs the owner of an account that someone tried to sign up with their address.
    pub fn account_exists(texts: &Texts, base_url: &str) -> Self {
        let link = format!("{base_url}/sign-in");
        let paragraphs = [
            paragraph(t!(in texts, "mail.account_exists.first")),
            Link(t!(in texts, "mail.account_exists.link"), &link),
            paragraph(t!(in texts, "mail.account_exists.then")),
        ];
        Self::new(texts, t!(in texts, "mail.account_exists.subject"), &paragraphs)
    }

    /// Sends the owner of an account a link to reset the password.
    pub fn reset_password(texts: &Texts, link: &str) -> Self {
        let paragraphs = [
            paragraph(t!(in texts, "mail.reset.first")),
            Link(t!(in texts, "mail.reset.link"), link),
            paragraph(t!(in texts, "mail.unasked")),
        ];
        Self::new(texts, t!(in texts, "mail.reset.subject"), &paragraphs)
    }

    /// Asks the owner of an account to confirm their new address. Sent to the new address.
    pub fn confirm_new_address(texts: &Texts, link: &str) -> Self {
        let paragraphs = [
            paragraph(t!(in texts, "mail.new_address.first")),
            Link(t!(in texts, "mail.new_address.link"), link),
            paragraph(t!(in texts, "mail.unasked")),
        ];
        Self::new(texts, t!(in texts, "mail.new_address.subject"), &paragraphs)
    }

    /// Informs the owner of an account about a change to it: what, when, and from which device and network, such as
    /// "with Firefox on Linux, from 192.0.2.*". Contains no link, so that users do not learn to follow links in such
    /// mails.
    pub fn security_notice(texts: &Texts, notice: Notice<'_>, at: Timestamp, by: &str) -> Self {
        let paragraphs = [
            Text(notice.sentence(texts)),
            Text(t!(in texts, "mail.security.when", when = format_time(texts, at), by = by)),
            paragraph(t!(in texts, "mail.security.then")),
            paragraph(t!(in texts, "mail.security.last")),
        ];
        Self::new(texts, t!(in texts, "mail.security.subject"), &paragraphs)
    }

    /// Sends the owner of an account a link to reset the password, at the request of an administrator.
    pub fn reset_by_administrator(texts: &Texts, link: &str) -> Self {
        let paragraphs = [
            paragraph(t!(in texts, "mail.reset.first_by_administrator")),
            Link(t!(in texts, "mail.reset.link"), link),
            paragraph(t!(in texts, "mail.reset.last_by_administrator")),
        ];
        Self::new(texts, t!(in texts, "mail.reset.subject"), &paragraphs)
    }

    /// Informs the owner of an account about a change by an administrator.
    pub fn administrators_notice(texts: &Texts, notice: Notice<'_>, at: Timestamp) -> Self {
        let paragraphs = [
            Text(notice.sentence(texts)),
            Text(t!(in texts, "mail.administrators.when", when = format_time(texts, at))),
            paragraph(t!(in texts, "mail.administrators.last")),
        ];
        Self::new(texts, t!(in texts, "mail.administrators.subject"), &paragraphs)
    }

    /// Informs the owner of an account that their second factors were reported as lost, and when they will be removed.
    pub fn factor_removal(texts: &Texts, due: Timestamp) -> Self {
        let paragraphs = [
            Text(t!(in texts, "mail.factor_removal.first", due = format_time(texts, due))),
            paragraph(t!(in texts, "mail.factor_removal.last")),
        ];
        Self::new(texts, t!(in texts, "mail.factor_removal.subject"), &paragraphs)
    }

    /// Informs the owner of an account that it will be deleted, as requested from `place`.
    pub fn deletion(texts: &Texts, due: Timestamp, place: &str) -> Self {
        let paragraphs = [
            Text(t!(in texts, "mail.deletion.first", due = format_time(texts, due), place = place)),
            paragraph(t!(in texts, "mail.deletion.last")),
        ];
        Self::new(texts, t!(in texts, "mail.deletion.subject"), &paragraphs)
    }

    /// Informs the owner of an account that an administrator disabled it and scheduled its deletion.
    pub fn deletion_by_administrator(texts: &Texts, due: Timestamp) -> Self {
        let paragraphs = [
            Text(t!(in texts, "mail.deletion.first_by_administrator", due = format_time(texts, due))),
            paragraph(t!(in texts, "mail.deletion.last_by_administrator")),
        ];
        Self::new(texts, t!(in texts, "mail.deletion.subject"), &paragraphs)
    }

    /// The receipt for a deleted account.
    pub fn deleted(texts: &Texts, receipt: &str, asked: Timestamp, done: Timestamp, counts: &str) -> Self {
        let (done, asked) = (format_time(texts, done), format_time(texts, asked));
        let paragraphs = [
            Text(t!(in texts, "mail.deleted.first", done = done, asked = asked)),
            Text(t!(in texts, "mail.deleted.then", receipt = receipt, counts = counts)),
        ];
        Self::new(texts, t!(in texts, "mail.deleted.subject"), &paragraphs)
    }

    /// Informs a user that their data export is ready. Contains no link: the reader of the mail is not authenticated.
    pub fn export_ready(texts: &Texts, expires: Timestamp) -> Self {
        let paragraphs = [
            Text(t!(in texts, "mail.export.first", expires = format_time(texts, expires))),
            paragraph(t!(in texts, "mail.export.last")),
        ];
        Self::new(texts, t!(in texts, "mail.export.subject"), &paragraphs)
    }

    /// Invites a person to sign up.
    pub fn invitation(texts: &Texts, inviter: &str, link: &str, days: u32) -> Self {
        let paragraphs = [
            Text(t!(in texts, "mail.invitation.first", inviter = inviter)),
            Link(t!(in texts, "mail.invitation.link"), link),
            Text(t!(in texts, "mail.invitation.then", count = days)),
        ];
        Self::new(texts, t!(in texts, "mail.invitation.subject"), &paragraphs)
    }

    fn new(texts: &Texts, subject: &'static str, paragraphs: &[Paragraph<'_>]) -> Self {
        let mut text = String::new();
        let mut html =
            format!("<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"></head>\n<body>\n", texts.tag());
        for paragraph in paragraphs {
            match paragraph {
                Text(sentence) => {
                    text.push_str(sentence);
                    html.push_str(&format!("<p>{}</p>\n", escape(sentence)));
                }
                Link(label, url) => {
                    text.push_str(&format!("{label}:\n{url}"));
                    html.push_str(&format!("<p><a href=\"{}\">{}</a></p>\n", escape(url), escape(label)));
                }
            }
            text.push_str("\n\n");
        }
        html.push_str("</body></html>\n");
        Self { subject, text, html }
    }
}

fn paragraph(text: &str) -> Paragraph<'static> {
    Text(text.to_owned())
}

/// Formats a time, for example `21 November 2026 at 08:30 UTC`.
pub fn format_time(texts: &Texts, at: Timestamp) -> String {
    let moment = CivilDateTime::at(at, 0);
    t!(in texts, "mail.moment", date = moment.date(texts), time = moment.time(texts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Language;

    /// 2026-11-21T08:33:20Z.
    const AT: Timestamp = Timestamp::from_micros(1_795_250_000_000_000);

    fn english() -> &'static Texts {
        Language::default().texts()
    }

    fn german() -> &'static Texts {
        Language::from_tag("de").expect("a language").texts()
    }

    /// All mails; the invitation twice, for singular and plural.
    fn all(texts: &Texts) -> [MailContent; 14] {
        let link = "https://h/x?token=abc";
        [
            MailContent::verify_address(texts, link),
            MailContent::account_exists(texts, "https://h"),
            MailContent::reset_password(texts, link),
            MailContent::confirm_new_address(texts, link),
            MailContent::security_notice(texts, Notice::PasswordChanged, AT, "from 192.0.2.*"),
            MailContent::reset_by_administrator(texts, link),
            MailContent::administrators_notice(texts, Notice::Disabled, AT),
            MailContent::factor_removal(texts, AT),
            MailContent::deletion(texts, AT, "192.0.2.*"),
            MailContent::deletion_by_administrator(texts, AT),
            MailContent::deleted(texts, "0190e2a4", AT, AT, "2 chats"),
            MailContent::export_ready(texts, AT),
            MailContent::invitation(texts, "Ada", link, 1),
            MailContent::invitation(texts, "Ada", link, 7),
        ]
    }

    #[test]
    fn row_62_user_input_is_escaped_in_html() {
        let inviter = "<b onclick='x'>\"Ada\" & Co";
        let content = MailContent::invitation(english(), inviter, "https://h/sign-up?invitation=x", 7);
        assert!(
            content.html.contains("&lt;b onclick=&#x27;x&#x27;&gt;&quot;Ada&quot; &amp; Co invited you"),
            "{}",
            content.html
        );
        assert!(content.text.starts_with("<b onclick='x'>\"Ada\" & Co invited you"), "{}", content.text);
    }

    #[test]
    fn mails_have_no_repeated_or_leading_blanks() {
        for language in Language::all() {
            for content in all(language.texts()) {
                for paragraph in [content.subject, &content.text, &content.html] {
                    assert!(
                        !paragraph.is_empty() && !paragraph.contains("  ") && !paragraph.contains('\t'),
                        "{paragraph:?}"
                    );
                }
                let mut lines = content.text.lines();
                assert!(lines.all(|line| line == line.trim()), "{:?}", content.text);
                assert!(!content.text.contains(['{', '}']), "{:?}", content.text);
            }
        }
        // The list must contain the result of each constructor except `new`.
        let constructors = include_str!("content.rs").matches(&format!(") -> {} {{", "Self")).count() - 1;
        assert_eq!(all(english()).len() - 1, constructors);
    }

    #[test]
    fn a_mail_has_one_link_to_our_site() {
        let content = MailContent::reset_password(english(), "https://h/reset-password?token=abc");
        assert_eq!(content.html.matches("href=").count(), 1);
        assert_eq!(content.html.matches("://").count(), 1);
        assert!(content.html.contains("<a href=\"https://h/reset-password?token=abc\">"), "{}", content.html);
        assert!(content.text.contains("\nhttps://h/reset-password?token=abc\n"), "{}", content.text);
    }

    #[test]
    fn a_notice_contains_the_time_and_the_origin() {
        let by = "with Firefox on Linux, from 192.0.2.*";
        let content = MailContent::security_notice(english(), Notice::PasswordChanged, AT, by);
        let when = "on 21 November 2026 at 08:33 UTC, with Firefox on Linux, from 192.0.2.*.";
        assert!(content.text.contains(when) && content.text.contains("in Settings"), "{}", content.text);
        assert!(!content.text.contains("://"));
        let content = MailContent::administrators_notice(german(), Notice::Disabled, AT);
        assert!(content.text.contains("am 21. November 2026 um 08:33 UTC."), "{}", content.text);
    }

    #[test]
    fn mails_have_the_same_structure_in_every_language() {
        let links = |content: &MailContent| {
            let lines = content.text.lines().filter(|line| line.starts_with("https://"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        for (english, german) in all(english()).iter().zip(&all(german())) {
            assert_eq!(links(english), links(german));
            assert_eq!(english.html.matches("<p>").count(), german.html.matches("<p>").count());
            assert!(english.html.contains("<html lang=\"en-GB\">") && german.html.contains("<html lang=\"de\">"));
            assert_ne!(english.subject, german.subject);
            for line in english.text.lines().filter(|line| line.contains(' ')) {
                assert!(!german.text.contains(line), "{line}");
            }
        }
    }
}
