//! What mails say, in the language of whoever gets them. Each has a plain part and the same as HTML: no images, no links but
//! the one that it is about.
//! Nothing that a stranger can choose stands in them, so that nobody can use them to speak to others.

use super::Notice;
use crate::{
    domain::{Civil, Timestamp},
    i18n::Texts,
};

/// A mail without an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: &'static str,
    /// The plain part.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// A paragraph.
enum Part<'a> {
    Says(String),
    /// A link of ours, with what it does.
    Link(&'static str, &'a str),
}
use Part::{Link, Says};

impl Letter {
    /// Asks the owner of an account to show that this address is theirs.
    pub fn verify_address(texts: &Texts, link: &str) -> Self {
        let parts = [
            says(t!(in texts, "mail.verify.first")),
            Link(t!(in texts, "mail.verify.link"), link),
            says(t!(in texts, "mail.unasked")),
        ];
        Self::new(texts, t!(in texts, "mail.verify.subject"), &parts)
    }

    /// Tells the owner of an account that somebody wanted to make another one with their address.
    pub fn account_exists(texts: &Texts, base_url: &str) -> Self {
        let link = format!("{base_url}/sign-in");
        let parts = [
            says(t!(in texts, "mail.account_exists.first")),
            Link(t!(in texts, "mail.account_exists.link"), &link),
            says(t!(in texts, "mail.account_exists.then")),
        ];
        Self::new(texts, t!(in texts, "mail.account_exists.subject"), &parts)
    }

    /// Lets the owner of an account choose another password.
    pub fn reset_password(texts: &Texts, link: &str) -> Self {
        let parts = [
            says(t!(in texts, "mail.reset.first")),
            Link(t!(in texts, "mail.reset.link"), link),
            says(t!(in texts, "mail.unasked")),
        ];
        Self::new(texts, t!(in texts, "mail.reset.subject"), &parts)
    }

    /// To the new address of an account: asks to confirm it.
    pub fn confirm_new_address(texts: &Texts, link: &str) -> Self {
        let parts = [
            says(t!(in texts, "mail.new_address.first")),
            Link(t!(in texts, "mail.new_address.link"), link),
            says(t!(in texts, "mail.unasked")),
        ];
        Self::new(texts, t!(in texts, "mail.new_address.subject"), &parts)
    }

    /// Tells the owner of an account what was done with it, when, and by what device and from where, such as "with Firefox
    /// on Linux, from 192.0.2.*". It holds no link: nobody shall get used to following one from such a mail.
    pub fn security_notice(texts: &Texts, notice: Notice<'_>, at: Timestamp, by: &str) -> Self {
        let parts = [
            Says(notice.sentence(texts)),
            Says(t!(in texts, "mail.security.when", when = moment(texts, at), by = by)),
            says(t!(in texts, "mail.security.then")),
            says(t!(in texts, "mail.security.last")),
        ];
        Self::new(texts, t!(in texts, "mail.security.subject"), &parts)
    }

    /// Lets the owner of an account choose another password, because an administrator has begun that.
    pub fn reset_by_administrator(texts: &Texts, link: &str) -> Self {
        let parts = [
            says(t!(in texts, "mail.reset.first_by_administrator")),
            Link(t!(in texts, "mail.reset.link"), link),
            says(t!(in texts, "mail.reset.last_by_administrator")),
        ];
        Self::new(texts, t!(in texts, "mail.reset.subject"), &parts)
    }

    /// Tells the owner of an account what an administrator did with it, and when.
    pub fn administrators_notice(texts: &Texts, notice: Notice<'_>, at: Timestamp) -> Self {
        let parts = [
            Says(notice.sentence(texts)),
            Says(t!(in texts, "mail.administrators.when", when = moment(texts, at))),
            says(t!(in texts, "mail.administrators.last")),
        ];
        Self::new(texts, t!(in texts, "mail.administrators.subject"), &parts)
    }

    /// Tells the owner of an account that their second factors are said to be lost, and when they are removed.
    pub fn factor_removal(texts: &Texts, due: Timestamp) -> Self {
        let parts = [
            Says(t!(in texts, "mail.factor_removal.first", due = moment(texts, due))),
            says(t!(in texts, "mail.factor_removal.last")),
        ];
        Self::new(texts, t!(in texts, "mail.factor_removal.subject"), &parts)
    }

    /// Tells the owner of an account that it is going to be deleted, as was asked for from `place`.
    pub fn deletion(texts: &Texts, due: Timestamp, place: &str) -> Self {
        let parts = [
            Says(t!(in texts, "mail.deletion.first", due = moment(texts, due), place = place)),
            says(t!(in texts, "mail.deletion.last")),
        ];
        Self::new(texts, t!(in texts, "mail.deletion.subject"), &parts)
    }

    /// Tells the owner of an account that an administrator has shut it and has it deleted.
    pub fn deletion_by_administrator(texts: &Texts, due: Timestamp) -> Self {
        let parts = [
            Says(t!(in texts, "mail.deletion.first_by_administrator", due = moment(texts, due))),
            says(t!(in texts, "mail.deletion.last_by_administrator")),
        ];
        Self::new(texts, t!(in texts, "mail.deletion.subject"), &parts)
    }

    /// The receipt for an account that is gone.
    pub fn deleted(texts: &Texts, receipt: &str, asked: Timestamp, done: Timestamp, counts: &str) -> Self {
        let (done, asked) = (moment(texts, done), moment(texts, asked));
        let parts = [
            Says(t!(in texts, "mail.deleted.first", done = done, asked = asked)),
            Says(t!(in texts, "mail.deleted.then", receipt = receipt, counts = counts)),
        ];
        Self::new(texts, t!(in texts, "mail.deleted.subject"), &parts)
    }

    /// Tells a person that the download of their data is ready. It holds no link: whoever reads the mail is not yet them.
    pub fn export_ready(texts: &Texts, expires: Timestamp) -> Self {
        let parts = [
            Says(t!(in texts, "mail.export.first", expires = moment(texts, expires))),
            says(t!(in texts, "mail.export.last")),
        ];
        Self::new(texts, t!(in texts, "mail.export.subject"), &parts)
    }

    /// Invites somebody to make an account.
    pub fn invitation(texts: &Texts, inviter: &str, link: &str, days: u32) -> Self {
        let parts = [
            Says(t!(in texts, "mail.invitation.first", inviter = inviter)),
            Link(t!(in texts, "mail.invitation.link"), link),
            Says(t!(in texts, "mail.invitation.then", count = days)),
        ];
        Self::new(texts, t!(in texts, "mail.invitation.subject"), &parts)
    }

    fn new(texts: &Texts, subject: &'static str, parts: &[Part<'_>]) -> Self {
        let mut text = String::new();
        let mut html =
            format!("<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"></head>\n<body>\n", texts.tag());
        for part in parts {
            match part {
                Says(sentence) => {
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

fn says(text: &str) -> Part<'static> {
    Says(text.to_owned())
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

/// For example `21 November 2026 at 08:30 UTC`.
pub fn moment(texts: &Texts, at: Timestamp) -> String {
    let moment = Civil::at(at, 0);
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

    /// Each letter; one of them twice.
    fn all(texts: &Texts) -> [Letter; 14] {
        let link = "https://h/x?token=abc";
        [
            Letter::verify_address(texts, link),
            Letter::account_exists(texts, "https://h"),
            Letter::reset_password(texts, link),
            Letter::confirm_new_address(texts, link),
            Letter::security_notice(texts, Notice::PasswordChanged, AT, "from 192.0.2.*"),
            Letter::reset_by_administrator(texts, link),
            Letter::administrators_notice(texts, Notice::Disabled, AT),
            Letter::factor_removal(texts, AT),
            Letter::deletion(texts, AT, "192.0.2.*"),
            Letter::deletion_by_administrator(texts, AT),
            Letter::deleted(texts, "0190e2a4", AT, AT, "2 chats"),
            Letter::export_ready(texts, AT),
            Letter::invitation(texts, "Ada", link, 1),
            Letter::invitation(texts, "Ada", link, 7),
        ]
    }

    #[test]
    fn row_62_what_people_wrote_is_text() {
        let inviter = "<b onclick='x'>\"Ada\" & Co";
        let letter = Letter::invitation(english(), inviter, "https://h/sign-up?invitation=x", 7);
        assert!(
            letter.html.contains("&lt;b onclick=&#39;x&#39;&gt;&quot;Ada&quot; &amp; Co invites you"),
            "{}",
            letter.html
        );
        assert!(letter.text.starts_with("<b onclick='x'>\"Ada\" & Co invites you"), "{}", letter.text);
    }

    #[test]
    fn no_letter_has_two_blanks_in_a_row() {
        for language in Language::all() {
            for letter in all(language.texts()) {
                for part in [letter.subject, &letter.text, &letter.html] {
                    assert!(!part.is_empty() && !part.contains("  ") && !part.contains('\t'), "{part:?}");
                }
                let mut lines = letter.text.lines();
                assert!(lines.all(|line| line == line.trim()), "{:?}", letter.text);
                assert!(!letter.text.contains(['{', '}']), "{:?}", letter.text);
            }
        }
        // Each way to write a letter is in the list, `new` aside.
        let ways = include_str!("letters.rs").matches(&format!(") -> {} {{", "Self")).count() - 1;
        assert_eq!(all(english()).len() - 1, ways);
    }

    #[test]
    fn a_letter_has_one_link_and_it_is_ours() {
        let letter = Letter::reset_password(english(), "https://h/reset-password?token=abc");
        assert_eq!(letter.html.matches("href=").count(), 1);
        assert_eq!(letter.html.matches("://").count(), 1);
        assert!(letter.html.contains("<a href=\"https://h/reset-password?token=abc\">"), "{}", letter.html);
        assert!(letter.text.contains("\nhttps://h/reset-password?token=abc\n"), "{}", letter.text);
    }

    #[test]
    fn a_notice_says_when_and_from_where() {
        let by = "with Firefox on Linux, from 192.0.2.*";
        let letter = Letter::security_notice(english(), Notice::PasswordChanged, AT, by);
        let when = "on 21 November 2026 at 08:33 UTC, with Firefox on Linux, from 192.0.2.*.";
        assert!(letter.text.contains(when) && letter.text.contains("in the settings"), "{}", letter.text);
        assert!(!letter.text.contains("://"));
        let letter = Letter::administrators_notice(german(), Notice::Disabled, AT);
        assert!(letter.text.contains("am 21. November 2026 um 08:33 UTC."), "{}", letter.text);
    }

    #[test]
    fn a_letter_in_another_language_is_the_same_letter() {
        let links = |letter: &Letter| {
            let lines = letter.text.lines().filter(|line| line.starts_with("https://"));
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
