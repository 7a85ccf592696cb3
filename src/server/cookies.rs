//! The cookies of this installation: the only module that names, sets, removes and reads them.
//!
//! A cookie is removed with the same attributes with which it was set. Browsers reject a `Set-Cookie` for a `__Host-`
//! name without `Secure`, even one that only expires the cookie.

use axum::http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};
use form_urlencoded::{Serializer, parse};
use tower_sessions::cookie::{Cookie as Line, SameSite, time::Duration};

use crate::domain::{APPEARANCE_COOKIE, Appearance, Email, MailPurpose, RequestedMail};

/// One of the cookies. All of them have the path `/` and are only for this host.
#[derive(Debug, Clone, Copy)]
pub struct Cookie {
    plain: &'static str,
    /// The name over https. The prefix makes browsers require `Secure` and restrict the cookie to this host.
    secure: &'static str,
    same_site: SameSite,
    /// Whether scripts can neither read nor change it.
    http_only: bool,
}

impl Cookie {
    const fn new(plain: &'static str, secure: &'static str, same_site: SameSite) -> Self {
        Self { plain, secure, same_site, http_only: true }
    }
}

/// The session id.
pub const SESSION: Cookie = Cookie::new("colloquy", "__Host-colloquy", SameSite::Lax);
/// Binds an authorization flow with an identity provider to the browser.
pub const FLOW: Cookie = Cookie::new("colloquy-flow", "__Host-colloquy-flow", SameSite::Lax);
/// A link that the next page shows once.
pub const ONE_TIME_LINK: Cookie = Cookie::new("colloquy-once", "__Host-colloquy-once", SameSite::Strict);
/// New recovery codes, encrypted, until the user has saved them.
pub const RECOVERY_CODES: Cookie = Cookie::new("colloquy-codes", "__Host-colloquy-codes", SameSite::Strict);
/// The values of a form that failed without JavaScript.
pub const FORM_VALUES: Cookie = Cookie::new("colloquy-typed", "__Host-colloquy-typed", SameSite::Strict);
/// The mail that the browser has requested last, for the page that says so.
pub const INBOX: Cookie = Cookie::new("colloquy-inbox", "__Host-colloquy-inbox", SameSite::Strict);
/// Marks a browser in which a passkey was used.
pub const PASSKEY_USED: Cookie = Cookie::new("colloquy-passkey", "__Host-colloquy-passkey", SameSite::Lax);

/// How pages look in this browser. The scripts of the page write it too, so it has one name.
pub const APPEARANCE: Cookie =
    Cookie { plain: APPEARANCE_COOKIE, secure: APPEARANCE_COOKIE, same_site: SameSite::Lax, http_only: false };

impl Cookie {
    /// The name of the cookie, depending on whether users reach the installation over https.
    pub const fn name(self, https: bool) -> &'static str {
        if https { self.secure } else { self.plain }
    }

    /// Sets the cookie in response headers, for `seconds` or, if `None`, until the browser is closed. A value that is
    /// not valid in a header is not set.
    pub fn set(self, headers: &mut HeaderMap, https: bool, value: &str, seconds: Option<i64>) {
        if let Some(line) = self.line(https, value, seconds) {
            headers.append(SET_COOKIE, line);
        }
    }

    /// Removes the cookie, in response headers.
    pub fn remove(self, headers: &mut HeaderMap, https: bool) {
        self.set(headers, https, "", Some(0));
    }

    /// The `Set-Cookie` header value.
    pub fn line(self, https: bool, value: &str, seconds: Option<i64>) -> Option<HeaderValue> {
        let mut line = Line::build((self.name(https), value))
            .path("/")
            .http_only(self.http_only)
            .secure(https)
            .same_site(self.same_site)
            .build();
        line.set_max_age(seconds.map(Duration::seconds));
        HeaderValue::try_from(line.to_string()).ok()
    }

    /// The value that the browser sent.
    pub fn find(self, headers: &HeaderMap, https: bool) -> Option<&str> {
        find(headers, self.name(https))
    }
}

/// The appearance that the browser has stored.
pub fn find_appearance(headers: &HeaderMap, https: bool) -> Appearance {
    APPEARANCE.find(headers, https).map(Appearance::from_cookie).unwrap_or_default()
}

/// The value of the cookie with a requested mail.
pub fn format_inbox(mail: &RequestedMail) -> String {
    Serializer::new(String::new()).append_pair(mail.purpose.as_str(), &mail.email).finish()
}

/// The mail that the browser has requested last. The value is untrusted: a client can send any cookie.
pub fn find_inbox(headers: &HeaderMap, https: bool) -> Option<RequestedMail> {
    let (purpose, email) = parse(INBOX.find(headers, https)?.as_bytes()).next()?;
    let all = [MailPurpose::SignUp, MailPurpose::Confirmation, MailPurpose::Reset];
    let purpose = all.into_iter().find(|known| known.as_str() == purpose)?;
    Some(RequestedMail { purpose, email: Email::parse(&email).ok()?.as_entered().to_owned() })
}

/// The value of the first cookie with this name that the browser sent.
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(Line::split_parse).flatten().find(|cookie| cookie.name() == name)?.value_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(change: impl FnOnce(&mut HeaderMap)) -> String {
        let mut headers = HeaderMap::new();
        change(&mut headers);
        headers[SET_COOKIE].to_str().expect("a line").to_owned()
    }

    #[test]
    fn s03_a_cookie_is_removed_with_the_attributes_it_was_set_with() {
        for cookie in [SESSION, FLOW, ONE_TIME_LINK, RECOVERY_CODES, FORM_VALUES, INBOX, PASSKEY_USED] {
            for https in [true, false] {
                let attributes = |line: &str| {
                    let (_, rest) = line.split_once("; ").expect("attributes");
                    rest.split("; ").filter(|part| !part.starts_with("Max-Age")).map(str::to_owned).collect::<Vec<_>>()
                };
                let line = set(|headers| cookie.set(headers, https, "x", Some(60)));
                let removal = set(|headers| cookie.remove(headers, https));
                assert_eq!(attributes(&line), attributes(&removal));
                assert!(removal.starts_with(&format!("{}=; ", cookie.name(https))), "{removal}");
                assert!(
                    removal.ends_with("; Path=/; Max-Age=0") && removal.contains("; HttpOnly; SameSite="),
                    "{removal}"
                );
                assert_eq!(removal.contains("; Secure;"), https, "{removal}");
                assert_eq!(line.starts_with("__Host-"), https, "{line}");
            }
        }
        let line = set(|headers| SESSION.set(headers, true, "x", None));
        assert_eq!(line, "__Host-colloquy=x; HttpOnly; SameSite=Lax; Secure; Path=/", "until the browser is closed");
        assert_eq!(SESSION.line(true, "a\r\nb", None), None);
        let line = set(|headers| APPEARANCE.set(headers, true, "dark", Some(60)));
        assert_eq!(line, "appearance=dark; SameSite=Lax; Secure; Path=/; Max-Age=60", "scripts write it too");
    }

    #[test]
    fn a_requested_mail_is_read_from_its_cookie_and_from_nothing_else() {
        let found = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.append(COOKIE, HeaderValue::try_from(format!("colloquy-inbox={value}")).expect("a line"));
            find_inbox(&headers, false)
        };
        let mail = RequestedMail { purpose: MailPurpose::SignUp, email: "o'neil+x@example.org".to_owned() };
        let value = format_inbox(&mail);
        assert!(!value.contains(['@', ';', ' ', '"']), "{value}");
        assert_eq!(found(&value), Some(mail));
        for bad in ["", "sign_up", "sign_up=", "other=a%40example.org", "sign_up=%3Cscript%3E", "reset=a%40b%0D%0A"] {
            assert_eq!(found(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("colloquy-typed=t; a=b=c;colloquy=one"));
        headers.append(COOKIE, HeaderValue::from_static("colloquy=two"));
        assert_eq!(SESSION.find(&headers, false), Some("one"));
        assert_eq!(SESSION.find(&headers, true), None);
        assert_eq!((FORM_VALUES.find(&headers, false), find(&headers, "a")), (Some("t"), Some("b=c")));
    }
}
