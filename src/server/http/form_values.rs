//! Keeps the values of a form that failed without JavaScript: the error response stores them in a cookie, and the next
//! page fills the form with them. With JavaScript the form is not reloaded.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method},
    middleware::Next,
    response::Response,
};
use form_urlencoded::{Serializer, parse};

use crate::{domain::FormValues, server::cookies::FORM_VALUES};

/// The fields that are stored. Must never include a password, a code or a token.
const ALLOWED_FIELDS: [&str; 5] = ["email", "name", "note", "uses", "days"];
/// The key of the form's path in the cookie. No stored field has this name.
const FORM_KEY: &str = "form";
/// The maximum size of the cookie's value, in bytes. Fields that do not fit are dropped.
const MAX_BYTES: usize = 2_048;
const MAX_AGE_SECONDS: i64 = 60;

/// Stores the allowed fields of a request to the form at this path in a cookie.
pub(super) fn store(headers: &mut HeaderMap, form: &str, body: &[u8], https: bool) {
    let mut stored = Serializer::new(String::new());
    stored.append_pair(FORM_KEY, form);
    let mut stored = stored.finish();
    let before = stored.len();
    for (name, value) in
        parse(body).filter(|(name, value)| ALLOWED_FIELDS.contains(&name.as_ref()) && !value.is_empty())
    {
        let pair = Serializer::new(String::new()).append_pair(&name, &value).finish();
        if stored.len() + pair.len() < MAX_BYTES {
            stored = format!("{stored}&{pair}");
        }
    }
    if stored.len() > before {
        FORM_VALUES.set(headers, https, &stored, Some(MAX_AGE_SECONDS));
    }
}

/// The middleware function around pages: moves the stored values from the cookie into the request's extensions, once.
pub(super) async fn restore_form_values(State(https): State<bool>, mut request: Request, next: Next) -> Response {
    let stored = FORM_VALUES.find(request.headers(), https).map(str::to_owned);
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(stored) = stored.filter(|_| is_page) else { return next.run(request).await };
    if stored.len() <= MAX_BYTES {
        request.extensions_mut().insert(parse_cookie(&stored));
    }
    let mut response = next.run(request).await;
    FORM_VALUES.remove(response.headers_mut(), https);
    response
}

/// Parses the cookie. The value is untrusted: a client can send any cookie.
fn parse_cookie(stored: &str) -> FormValues {
    let mut values = FormValues::default();
    for (name, value) in parse(stored.as_bytes()) {
        if name == FORM_KEY {
            values.form = value.into_owned();
        } else if ALLOWED_FIELDS.contains(&name.as_ref()) {
            values.fields.push((name.into_owned(), value.into_owned()));
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use axum::http::header::SET_COOKIE;

    use super::*;

    fn stored(body: &str, https: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        store(&mut headers, "/api/sign_up", body.as_bytes(), https);
        headers.get(SET_COOKIE).map(|line| line.to_str().expect("a line").to_owned())
    }

    fn value(line: &str) -> &str {
        line.split_once('=').expect("a name").1.split(';').next().expect("a value")
    }

    #[test]
    fn only_allowed_fields_are_stored() {
        let body = "email=a%40b.org&name=%C3%85sa+%3B&password=p1&current=p2&code=123&token=t&invitation=i&credential=c&secret=s&NAME=x";
        let line = stored(body, true).expect("a line");
        assert!(line.starts_with("__Host-colloquy-typed="), "{line}");
        assert!(line.ends_with("; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=60"), "{line}");
        let values = parse_cookie(value(&line));
        assert_eq!(values.form, "/api/sign_up");
        let expected = [("email", "a@b.org"), ("name", "Åsa ;")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(values.fields, expected);
        assert!(!stored(body, false).expect("a line").contains("Secure"));
        assert_eq!(stored("password=p1&code=1&email=", true), None);
    }

    #[test]
    fn fields_that_do_not_fit_are_dropped() {
        let line = stored(&format!("email={}&name=Ada", "x".repeat(3_000)), false).expect("a line");
        assert_eq!(parse_cookie(value(&line)).fields, [("name".to_owned(), "Ada".to_owned())]);
        assert_eq!(stored(&format!("name={}", "%C3%85".repeat(2_000)), false), None);
    }
}
