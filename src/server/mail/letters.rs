//! What mails say. Each has a plain part and the same as HTML: no images, no links but the one that it is about.
//! Nothing that a stranger can choose stands in them, so that nobody can use them to speak to others.

use time::{OffsetDateTime, macros::format_description};

use crate::domain::Timestamp;

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

const IGNORE: &str = "If you did not ask for this, you need not do anything: without the link nothing changes.";

impl Letter {
    /// Asks the owner of an account to show that this address is theirs.
    pub fn verify_address(link: &str) -> Self {
        let first = "Please confirm that this is your e-mail address. The link holds for 24 hours and works once.";
        Self::new("Confirm your e-mail address", &[says(first), Link("Confirm the address", link), says(IGNORE)])
    }

    /// Tells the owner of an account that somebody wanted to make another one with their address.
    pub fn account_exists(base_url: &str) -> Self {
        let first = "Somebody, probably you, wanted to make an account with this e-mail address. You have one already.";
        let then = "If you forgot your password, choose a new one on the sign-in page. If it was not you, you need not do \
                    anything.";
        let link = format!("{base_url}/sign-in");
        Self::new("You have an account already", &[says(first), Link("Sign in", &link), says(then)])
    }

    /// Lets the owner of an account choose another password.
    pub fn reset_password(link: &str) -> Self {
        let first = "Somebody, probably you, asked for a new password for your account. The link holds for 15 minutes \
                     and works once. All devices will have to sign in again.";
        Self::new("Choose a new password", &[says(first), Link("Choose a new password", link), says(IGNORE)])
    }

    /// To the new address of an account: asks to confirm it.
    pub fn confirm_new_address(link: &str) -> Self {
        let first = "Please confirm that this is the new e-mail address of your account. The link holds for 24 hours \
                     and works once.";
        Self::new(
            "Confirm your new e-mail address",
            &[says(first), Link("Confirm the new address", link), says(IGNORE)],
        )
    }

    /// To the address of an account until now: tells of the new one.
    pub fn address_change_requested(new: &str, at: Timestamp, by: &str) -> Self {
        let first = format!("The e-mail address of your account is to become {new}, once that address is confirmed.");
        Self::security_notice(first, at, by)
    }

    /// Tells the owner of an account what was done with it, in one sentence, when, and by what device and from where, such
    /// as "with Firefox on Linux, from 192.0.2.*". It holds no link: nobody shall get used to following one from such a mail.
    pub fn security_notice(sentence: impl Into<String>, at: Timestamp, by: &str) -> Self {
        let when = format!("That was on {}, {by}.", moment(at));
        let then = "What was done with your account, and every device that is signed in, stands in the settings, under \
                    \u{201c}Activity\u{201d} and \u{201c}Devices\u{201d}.";
        let last = "If that was not you, choose a new password at once and tell your administrator.";
        Self::new("Security notice for your account", &[Says(sentence.into()), Says(when), says(then), says(last)])
    }

    /// Lets the owner of an account choose another password, because an administrator has begun that.
    pub fn reset_by_administrator(link: &str) -> Self {
        let first = "An administrator has begun a reset of your password. The link holds for 15 minutes and works once. \
                     All devices will have to sign in again.";
        let last = "If you know of nothing, ask your administrator: without the link nothing changes.";
        Self::new("Choose a new password", &[says(first), Link("Choose a new password", link), says(last)])
    }

    /// Tells the owner of an account what an administrator did with it, in one sentence, and when.
    pub fn administrators_notice(sentence: &str, at: Timestamp) -> Self {
        let when = format!("That was on {}.", moment(at));
        let last = "If you did not expect it, ask your administrator.";
        Self::new("Notice about your account", &[says(sentence), Says(when), says(last)])
    }

    /// Tells the owner of an account that their second factors are said to be lost, and when they are removed.
    pub fn factor_removal(due: Timestamp) -> Self {
        let first = format!(
            "An administrator was told that you have lost your second factors. They will be removed on {}, and all \
             devices will be signed out. Then your password is enough to sign in.",
            moment(due)
        );
        let last = "If you have not lost them, sign in before that and refuse it: a notice stands above every page.";
        Self::new("Your second factors will be removed", &[Says(first), says(last)])
    }

    /// Tells the owner of an account that it is going to be deleted, as was asked for from `place`.
    pub fn deletion(due: Timestamp, place: &str) -> Self {
        let first = format!(
            "Your account and everything in it will be deleted on {}. That was asked for from {place}, by somebody who \
             was signed in to it. All other devices were signed out.",
            moment(due)
        );
        let last = "To keep it, sign in before that: the button stands above every page. If it was not you, choose a \
                    new password too.";
        Self::new("Your account will be deleted", &[Says(first), says(last)])
    }

    /// Tells the owner of an account that an administrator has shut it and has it deleted.
    pub fn deletion_by_administrator(due: Timestamp) -> Self {
        let first = format!(
            "An administrator has shut your account. It and everything in it will be deleted on {}.",
            moment(due)
        );
        let last = "If you did not expect it, ask your administrator before that.";
        Self::new("Your account will be deleted", &[Says(first), says(last)])
    }

    /// The receipt for an account that is gone.
    pub fn deleted(receipt: &str, asked: Timestamp, done: Timestamp, counts: &str) -> Self {
        let first = format!(
            "Your account was deleted on {}, as was asked for on {}. This is the last mail.",
            moment(done),
            moment(asked)
        );
        let then = format!("Receipt {receipt}. Deleted: {counts}.");
        Self::new("Your account was deleted", &[Says(first), Says(then)])
    }

    /// Tells a person that the download of their data is ready. It holds no link: whoever reads the mail is not yet them.
    pub fn export_ready(expires: Timestamp) -> Self {
        let first = format!(
            "The download of your data is ready. Look in the settings, under \u{201c}Your data\u{201d}. It is removed on {}.",
            moment(expires)
        );
        let last = "If you did not ask for it, choose a new password at once and tell your administrator.";
        Self::new("Your data is ready", &[Says(first), says(last)])
    }

    /// Invites somebody to make an account.
    pub fn invitation(inviter: &str, link: &str, days: u32) -> Self {
        let s = if days == 1 { "" } else { "s" };
        let first = format!("{inviter} invites you to Colloquy, a private place to think with a model.");
        let then = format!("The link holds for {days} day{s}.");
        let parts = [Says(first), Link("Make your account", link), Says(then)];
        Self::new("An invitation to Colloquy", &parts)
    }

    fn new(subject: &'static str, parts: &[Part<'_>]) -> Self {
        let mut text = String::new();
        let mut html =
            String::from("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head>\n<body>\n");
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
pub fn moment(at: Timestamp) -> String {
    let form = format_description!("[day padding:none] [month repr:long] [year] at [hour]:[minute] UTC");
    let moment =
        OffsetDateTime::from_unix_timestamp(at.millis().div_euclid(1_000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_62_what_people_wrote_is_text() {
        let letter = Letter::invitation("<b onclick='x'>\"Ada\" & Co", "https://h/sign-up?invitation=x", 7);
        assert!(
            letter.html.contains("&lt;b onclick=&#39;x&#39;&gt;&quot;Ada&quot; &amp; Co invites you"),
            "{}",
            letter.html
        );
        assert!(letter.text.starts_with("<b onclick='x'>\"Ada\" & Co invites you"), "{}", letter.text);
    }

    #[test]
    fn no_letter_has_two_blanks_in_a_row() {
        let at = Timestamp::from_micros(1_795_250_000_000_000);
        let link = "https://h/x?token=abc";
        let letters = [
            Letter::verify_address(link),
            Letter::account_exists("https://h"),
            Letter::reset_password(link),
            Letter::confirm_new_address(link),
            Letter::address_change_requested("ada@example.org", at, "from 192.0.2.*"),
            Letter::security_notice("Your password was changed.", at, "from 192.0.2.*"),
            Letter::reset_by_administrator(link),
            Letter::administrators_notice("Your role was changed.", at),
            Letter::factor_removal(at),
            Letter::deletion(at, "192.0.2.*"),
            Letter::deletion_by_administrator(at),
            Letter::deleted("0190e2a4", at, at, "2 chats"),
            Letter::export_ready(at),
            Letter::invitation("Ada", link, 1),
            Letter::invitation("Ada", link, 7),
        ];
        for letter in &letters {
            for part in [letter.subject, &letter.text, &letter.html] {
                assert!(!part.contains("  ") && !part.contains('\t'), "{part:?}");
            }
            let lines = letter.text.lines();
            assert!(lines.clone().all(|line| line == line.trim()), "{:?}", letter.text);
        }
        // Each way to write a letter is in the list, `new` aside. One is there twice.
        let ways = include_str!("letters.rs").matches(&format!(") -> {} {{", "Self")).count() - 1;
        assert_eq!(letters.len() - 1, ways);
    }

    #[test]
    fn a_letter_has_one_link_and_it_is_ours() {
        let letter = Letter::reset_password("https://h/reset-password?token=abc");
        assert_eq!(letter.html.matches("href=").count(), 1);
        assert_eq!(letter.html.matches("://").count(), 1);
        assert!(letter.html.contains("<a href=\"https://h/reset-password?token=abc\">"), "{}", letter.html);
        assert!(letter.text.contains("\nhttps://h/reset-password?token=abc\n"), "{}", letter.text);
    }

    #[test]
    fn a_notice_says_when_and_from_where() {
        let at = Timestamp::from_micros(1_795_250_000_000_000);
        let letter = Letter::security_notice("Your password was changed.", at, "with Firefox on Linux, from 192.0.2.*");
        let when = "on 21 November 2026 at 08:33 UTC, with Firefox on Linux, from 192.0.2.*.";
        assert!(letter.text.contains(when) && letter.text.contains("in the settings"), "{}", letter.text);
        assert!(!letter.text.contains("://"));
    }
}
