//! The request that a server function answers: who calls, what the browser holds, and where a form leads.

use axum::http::{
    header::{ACCEPT, HOST, REFERER, SET_COOKIE},
    request::Parts,
};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use tower_sessions::Session;

use crate::{
    domain::{AppError, UserId},
    i18n::Language,
    server::{
        access::HasAccess,
        audit::RequestMeta,
        auth::{Caller, Unenrolled},
        cookies::{self, CODES, Cookie, ONCE},
        fault::Fault,
        people::Actor,
        state::AppState,
        telemetry::RequestId,
    },
};

/// Seconds within which the page must be there that shows what is shown once.
const ONCE_SECONDS: i64 = 60;
/// Seconds for which new recovery codes can be seen.
const CODES_SECONDS: i64 = 600;

/// The request that is being answered.
pub(super) struct RequestContext {
    /// What the server has.
    pub state: AppState,
    meta: RequestMeta,
    parts: Parts,
}

impl RequestContext {
    /// The context of the current request to the endpoint `T`, which its access policy lets through. Call it before the first
    /// `.await`. Pages call server functions on the server too, where no route has checked the policy.
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

    /// Who calls; `Unauthenticated` for a stranger.
    pub fn caller(&self) -> Result<&Caller, AppError> {
        self.parts.extensions.get::<Caller>().ok_or(AppError::Unauthenticated)
    }

    /// The same, as whoever acts on other people's accounts.
    pub fn actor(&self) -> Result<Actor<'_>, AppError> {
        Ok(Actor::administrator(self.caller()?, &self.meta))
    }

    /// Whether the caller must add a second factor before anything else.
    pub fn must_enrol(&self) -> bool {
        self.parts.extensions.get::<Unenrolled>().is_some()
    }

    /// The id of who asks; `Unauthenticated` for a stranger.
    pub fn user(&self) -> Result<UserId, AppError> {
        self.caller().map(|caller| caller.user.id)
    }

    /// The language that whoever asks reads.
    pub const fn language(&self) -> Language {
        self.meta.language
    }

    /// The session of the request.
    pub fn session(&self) -> Result<Session, AppError> {
        let missing = || AppError::Internal { request_id: self.request_id() };
        self.parts.extensions.get::<Session>().cloned().ok_or_else(missing)
    }

    /// Where the request comes from.
    pub const fn meta(&self) -> &RequestMeta {
        &self.meta
    }

    /// The host that the request is for, as the guard has let it through.
    pub fn host(&self) -> &str {
        self.header(HOST.as_str())
    }

    /// Whether this is a form that was sent without scripts, which must be answered by going somewhere.
    pub fn is_plain_form(&self) -> bool {
        self.header(ACCEPT.as_str()).contains("text/html")
    }

    /// Leads a plain form on to a page of ours; scripts stay where they are.
    pub fn lead_to(&self, path: &str) {
        if self.is_plain_form() {
            leptos_axum::redirect(path);
        }
    }

    /// Has the page that a plain form is led to show a link that is shown once. Nobody else but the browser that asked
    /// keeps it, for a minute at most, where no script can read it.
    pub fn show_once(&self, link: &str) {
        if self.is_plain_form() {
            self.set_cookie(ONCE, link, ONCE_SECONDS);
        }
    }

    /// The link that this page shows once, if it is one of ours to the page `begin`. Call it before the first `.await`.
    pub fn shown_once(&self, begin: &str) -> Option<String> {
        let link = ONCE.find(&self.parts.headers, self.is_https())?.to_owned();
        self.set_cookie(ONCE, "", 0);
        link.starts_with(&format!("{}{begin}", self.state.config.base_url())).then_some(link)
    }

    /// Lets the caller's browser show new recovery codes, on its next pages too, until they are put away or 10 minutes
    /// have passed.
    pub fn show_codes(&self, caller: &Caller, codes: &[String]) -> Result<(), AppError> {
        if !codes.is_empty() {
            let sealed = self.to_app_error(self.state.factors.seal_codes(caller, codes))?;
            self.set_cookie(CODES, &sealed, CODES_SECONDS);
        }
        Ok(())
    }

    /// The recovery codes that the caller's browser shows.
    pub fn shown_codes(&self, caller: &Caller) -> Vec<String> {
        let sealed = CODES.find(&self.parts.headers, self.is_https());
        sealed.map(|sealed| self.state.factors.open_codes(caller, sealed)).unwrap_or_default()
    }

    /// Takes the recovery codes out of the browser.
    pub fn put_codes_away(&self) {
        self.set_cookie(CODES, "", 0);
    }

    /// Keeps something in this browser that scripts and other sites cannot read; for no second, it is taken away.
    fn set_cookie(&self, cookie: Cookie, value: &str, seconds: i64) {
        let line = cookie.line(self.is_https(), value, Some(seconds));
        if let (Some(response), Some(line)) = (use_context::<ResponseOptions>(), line) {
            response.append_header(SET_COOKIE, line);
        }
    }

    fn is_https(&self) -> bool {
        self.state.config.url.as_ref().is_some_and(|url| url.https)
    }

    /// The path and query of the page that the form was on. The router has made sure that it is one of ours.
    pub fn came_from(&self) -> &str {
        let link = self.header(REFERER.as_str());
        let rest = link.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("/", |at| &rest[at..])
    }

    /// The value of one of the browser's own cookies.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        cookies::find(&self.parts.headers, name)
    }

    /// Turns a fault of a service into what may be seen.
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
