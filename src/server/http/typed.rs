//! What people typed into a form that failed without scripts: it goes with the answer in a cookie, for the page that the
//! answer leads to. With scripts the form stays as it is.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method},
    middleware::Next,
    response::Response,
};
use openidconnect::url::form_urlencoded::{Serializer, parse};

use crate::{domain::Typed, server::cookies::TYPED};

/// The inputs that are kept. No name of a password, a code or a token will ever be one of them.
const FIELDS: [&str; 5] = ["email", "name", "note", "uses", "days"];
/// The name of the form's own path in the cookie. No input that is kept has it.
const FORM: &str = "form";
/// The largest value of the cookie, in bytes. What does not fit is not kept.
const BYTES: usize = 2_048;
const SECONDS: i64 = 60;

/// Keeps what was sent to the form at this path, as far as it may be kept.
pub(super) fn keep(headers: &mut HeaderMap, form: &str, body: &[u8], https: bool) {
    let mut kept = Serializer::new(String::new());
    kept.append_pair(FORM, form);
    let mut kept = kept.finish();
    let before = kept.len();
    for (name, value) in parse(body).filter(|(name, value)| FIELDS.contains(&name.as_ref()) && !value.is_empty()) {
        let pair = Serializer::new(String::new()).append_pair(&name, &value).finish();
        if kept.len() + pair.len() < BYTES {
            kept = format!("{kept}&{pair}");
        }
    }
    if kept.len() > before {
        TYPED.set(headers, https, &kept, Some(SECONDS));
    }
}

/// The layer around pages: leaves what is kept in the request's extensions, once.
pub(super) async fn give_back(State(https): State<bool>, mut request: Request, next: Next) -> Response {
    let kept = TYPED.find(request.headers(), https).map(str::to_owned);
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(kept) = kept.filter(|_| is_page) else { return next.run(request).await };
    if kept.len() <= BYTES {
        request.extensions_mut().insert(read(&kept));
    }
    let mut response = next.run(request).await;
    TYPED.remove(response.headers_mut(), https);
    response
}

/// Reads as carefully as if somebody else had written it.
fn read(kept: &str) -> Typed {
    let mut typed = Typed::default();
    for (name, value) in parse(kept.as_bytes()) {
        if name == FORM {
            typed.form = value.into_owned();
        } else if FIELDS.contains(&name.as_ref()) {
            typed.fields.push((name.into_owned(), value.into_owned()));
        }
    }
    typed
}

#[cfg(test)]
mod tests {
    use axum::http::header::SET_COOKIE;

    use super::*;

    fn kept(body: &str, https: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        keep(&mut headers, "/api/sign_up", body.as_bytes(), https);
        headers.get(SET_COOKIE).map(|line| line.to_str().expect("a line").to_owned())
    }

    fn value(line: &str) -> &str {
        line.split_once('=').expect("a name").1.split(';').next().expect("a value")
    }

    #[test]
    fn only_what_is_no_secret_is_kept() {
        let body = "email=a%40b.org&name=%C3%85sa+%3B&password=p1&current=p2&code=123&token=t&invitation=i&credential=c&secret=s&NAME=x";
        let line = kept(body, true).expect("a line");
        assert!(line.starts_with("__Host-colloquy-typed="), "{line}");
        assert!(line.ends_with("; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=60"), "{line}");
        let typed = read(value(&line));
        assert_eq!(typed.form, "/api/sign_up");
        let expected = [("email", "a@b.org"), ("name", "Åsa ;")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(typed.fields, expected);
        assert!(!kept(body, false).expect("a line").contains("Secure"));
        assert_eq!(kept("password=p1&code=1&email=", true), None);
    }

    #[test]
    fn what_is_too_long_is_not_kept_and_the_rest_is() {
        let line = kept(&format!("email={}&name=Ada", "x".repeat(3_000)), false).expect("a line");
        assert_eq!(read(value(&line)).fields, [("name".to_owned(), "Ada".to_owned())]);
        assert_eq!(kept(&format!("name={}", "%C3%85".repeat(2_000)), false), None);
    }
}
