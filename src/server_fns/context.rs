//! The request context of a server function: the caller, the cookies of the browser, and redirects of plain forms.

use axum::http::{
    header::{ACCEPT, HOST, REFERER, SET_COOKIE},
    request::Parts,
};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use tower_sessions::Session;

use crate::{
    domain::{AppError, AuthPageData, MailPurpose, RequestedMail, UserId},
    i18n::Language,
    server::{
        access::HasAccess,
        audit::RequestMeta,
        auth::{Caller, SessionChange, SessionState},
        cookies::{
            self, APPEARANCE, Cookie, INBOX, ONE_TIME_LINK, PASSKEY_USED, RECOVERY_CODES, find_appearance, find_inbox,
            format_inbox,
        },
        fault::Fault,
        people::Actor,
        state::AppState,
        telemetry::RequestId,
    },
};

/// The lifetime of the cookie with a one-time link, in seconds.
const ONE_TIME_LINK_SECONDS: i64 = 60;
/// The lifetime of the cookie with new recovery codes, in seconds.
const RECOVERY_CODES_SECONDS: i64 = 600;
/// The lifetime of the cookie with the requested mail, in seconds: an hour.
const INBOX_SECONDS: i64 = 3_600;
/// The lifetime of the cookies with the appearance and about passkeys, in seconds: a year.
const YEAR_SECONDS: i64 = 31_536_000;

/// The context of the current request.
pub(super) struct RequestContext {
    /// The application state.
    pub state: AppState,
    meta: RequestMeta,
    parts: Parts,
}

impl RequestContext {
    /// Creates the context of the current request to the endpoint `T` and checks its access policy. Call it before the
    /// first `.await`. Pages call server functions during server-side rendering too, where no route has checked the
    /// policy.
    pub async fn of<T: HasAccess>() -> Result<Self, AppError> {
        let missing = || AppError::Internal { request_id: String::new() };
        let (state, parts): (AppState, Parts) =
            (use_context().ok_or_else(missing)?, use_context().ok_or_else(missing)?);
        let meta = RequestMeta::from_request(&parts.extensions, &parts.headers);
        let context = Self { state, meta, parts };
        let (extensions, path) = (&context.parts.extensions, context.parts.uri.path());
        let checked = T::ACCESS.check(&context.state, extensions, path, &context.meta).await;
        context.to_app_error(checked)?;
        Ok(context)
    }

    /// The caller; `Unauthenticated` if no user is signed in.
    pub fn caller(&self) -> Result<&Caller, AppError> {
        self.parts.extensions.get::<Caller>().ok_or(AppError::Unauthenticated)
    }

    /// The caller as the actor of an action on another user's account.
    pub fn actor(&self) -> Result<Actor<'_>, AppError> {
        Ok(Actor::administrator(self.caller()?, &self.meta))
    }

    /// The caller's id; `Unauthenticated` if no user is signed in.
    pub fn user(&self) -> Result<UserId, AppError> {
        self.caller().map(|caller| caller.user.id)
    }

    /// The reader's language.
    pub const fn language(&self) -> Language {
        self.meta.language
    }

    /// What the session of the browser contains.
    pub async fn session_state(&self) -> Result<SessionState, AppError> {
        self.to_app_error(SessionState::read(self.session()?).await)
    }

    /// Changes the session of the browser, after the service that returned the change.
    pub async fn change_session(&self, change: SessionChange) -> Result<(), AppError> {
        self.to_app_error(change.apply(self.session()?).await)
    }

    fn session(&self) -> Result<&Session, AppError> {
        let missing = || AppError::Internal { request_id: self.request_id() };
        self.parts.extensions.get().ok_or_else(missing)
    }

    /// The metadata of the request for the audit log.
    pub const fn meta(&self) -> &RequestMeta {
        &self.meta
    }

    /// The host of the request, as validated by the guard.
    pub fn host(&self) -> &str {
        self.header(HOST.as_str())
    }

    /// Whether this is a form that was sent without JavaScript, which must be answered with a redirect.
    pub fn is_plain_form(&self) -> bool {
        self.header(ACCEPT.as_str()).contains("text/html")
    }

    /// Redirects a plain form to a page of ours; does nothing for requests by scripts.
    pub fn redirect_plain_form(&self, path: &str) {
        if self.is_plain_form() {
            leptos_axum::redirect(path);
        }
    }

    /// Passes a one-time link to the page to which a plain form is redirected. It is stored for one minute in a cookie
    /// of this browser only, which scripts cannot read.
    pub fn set_one_time_link(&self, link: &str) {
        if self.is_plain_form() {
            self.set_cookie(ONE_TIME_LINK, link, ONE_TIME_LINK_SECONDS);
        }
    }

    /// Returns and removes the one-time link, if it is one of our links to the page `begin`. Call it before the first
    /// `.await`.
    pub fn take_one_time_link(&self, begin: &str) -> Option<String> {
        let link = ONE_TIME_LINK.find(&self.parts.headers, self.state.config.is_https())?.to_owned();
        self.set_cookie(ONE_TIME_LINK, "", 0);
        link.starts_with(&format!("{}{begin}", self.state.config.base_url())).then_some(link)
    }

    /// Stores new recovery codes in a cookie of the caller's browser, until the caller has saved them or 10 minutes
    /// have passed.
    pub fn set_recovery_codes(&self, caller: &Caller, codes: &[String]) -> Result<(), AppError> {
        if !codes.is_empty() {
            let sealed = self.to_app_error(self.state.factors.seal_codes(caller, codes))?;
            self.set_cookie(RECOVERY_CODES, &sealed, RECOVERY_CODES_SECONDS);
        }
        Ok(())
    }

    /// The recovery codes in the caller's cookie.
    pub fn recovery_codes(&self, caller: &Caller) -> Vec<String> {
        let sealed = RECOVERY_CODES.find(&self.parts.headers, self.state.config.is_https());
        sealed.map(|sealed| self.state.factors.open_codes(caller, sealed)).unwrap_or_default()
    }

    /// Removes the recovery codes from the browser.
    pub fn clear_recovery_codes(&self) {
        self.set_cookie(RECOVERY_CODES, "", 0);
    }

    /// Changes what the words name in the appearance that this browser has stored.
    pub fn set_appearance<'a>(&self, words: impl IntoIterator<Item = &'a str>) {
        let changed = find_appearance(&self.parts.headers, self.state.config.is_https()).with(words);
        self.set_cookie(APPEARANCE, &changed.to_cookie(), YEAR_SECONDS);
    }

    /// Remembers for an hour that this browser has requested a mail to an address. Not in the URL, so that the address is
    /// in no history and no log.
    pub fn set_inbox(&self, purpose: MailPurpose, email: &str) {
        let mail = RequestedMail { purpose, email: email.to_owned() };
        self.set_cookie(INBOX, &format_inbox(&mail), INBOX_SECONDS);
    }

    /// Forgets the requested mail: someone has signed in.
    pub fn clear_inbox(&self) {
        if INBOX.find(&self.parts.headers, self.state.config.is_https()).is_some() {
            self.set_cookie(INBOX, "", 0);
        }
    }

    /// Remembers that a passkey was used in this browser.
    pub fn set_passkey_used(&self) {
        self.set_cookie(PASSKEY_USED, "1", YEAR_SECONDS);
    }

    /// The mail that this browser has requested last.
    pub fn inbox(&self) -> Option<RequestedMail> {
        find_inbox(&self.parts.headers, self.state.config.is_https())
    }

    /// Adds to the data of the sign-in and sign-up pages what the cookies of the browser tell.
    pub fn with_cookies(&self, page_data: AuthPageData) -> AuthPageData {
        let (headers, https) = (&self.parts.headers, self.state.config.is_https());
        let passkey_used = PASSKEY_USED.find(headers, https).is_some();
        AuthPageData { inbox: self.inbox(), passkey_used, ..page_data }
    }

    /// Sets a cookie for this browser; 0 seconds remove it.
    fn set_cookie(&self, cookie: Cookie, value: &str, seconds: i64) {
        let line = cookie.line(self.state.config.is_https(), value, Some(seconds));
        if let (Some(response), Some(line)) = (use_context::<ResponseOptions>(), line) {
            response.append_header(SET_COOKIE, line);
        }
    }

    /// The path and query of the page that sent the form. The router has verified that it is one of our pages.
    pub fn referer_path(&self) -> &str {
        let link = self.header(REFERER.as_str());
        let rest = link.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("/", |at| &rest[at..])
    }

    /// The value of a cookie that the browser's scripts have set.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookies::find(&self.parts.headers, name)
    }

    /// Converts the error of a service into the error for the client.
    pub fn to_app_error<T>(&self, result: Result<T, Fault>) -> Result<T, AppError> {
        result.map_err(|fault| fault.into_app_error(&self.request_id()))
    }

    fn header(&self, name: &str) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn request_id(&self) -> String {
        self.parts.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default()
    }
}
