//! The pages: rendered by Leptos, with a Content-Security-Policy that contains their nonce.

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{
        StatusCode,
        header::{CONTENT_SECURITY_POLICY, LOCATION},
        request::Parts,
    },
    middleware::{Next, from_fn, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
};
use leptos::{IntoView, nonce::use_nonce, prelude::*};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list_with_exclusions};
use server_fn::redirect::REDIRECT_HEADER;

use super::{
    access_log::accepts_html,
    form_values::restore_form_values,
    headers::page_csp,
    refusal::{language_in, refuse},
    visitor_pages::{VisitorPages, reuse_page},
};
use crate::{
    domain::AppError,
    server::{
        access::Access,
        auth::Caller,
        cookies::find_appearance,
        site::{ScriptStart, UnknownUrl},
        state::AppState,
    },
};

/// The settings section in which a second factor is added.
const ENROLMENT: &str = "/settings/security#two-step";

/// The access policy of each page.
const PAGES: &[(&str, Access)] = &[
    ("/sign-in", Access::Anyone),
    ("/sign-up", Access::Anyone),
    ("/sign-in/code", Access::Anyone),
    ("/forgot-password", Access::Anyone),
    ("/check-inbox", Access::Anyone),
    ("/reset-password", Access::Anyone),
    ("/verify-address", Access::Anyone),
    ("/confirm-address", Access::Anyone),
    ("/privacy", Access::Anyone),
    ("/terms", Access::Anyone),
    ("/settings", Access::BeforeEnrolment),
    ("/settings/appearance", Access::BeforeEnrolment),
    ("/settings/security", Access::BeforeEnrolment),
    ("/settings/data", Access::BeforeEnrolment),
    ("/settings/confirm", Access::BeforeEnrolment),
    ("/", Access::Person),
    ("/chats/{id}", Access::Person),
    ("/sessions", Access::Person),
    ("/people", Access::Administrator),
    ("/people/{id}", Access::Administrator),
    ("/audit", Access::Administrator),
    ("/jobs", Access::Administrator),
    ("/models", Access::Administrator),
];

fn access_of(path: &str) -> Option<Access> {
    PAGES.iter().find(|(page, _)| *page == path).map(|(_, access)| *access)
}

/// The routes of the application's pages. `shell` renders the whole HTML document.
pub(super) fn routes<V: IntoView + 'static>(
    state: &AppState,
    shell: impl Fn(LeptosOptions) -> V + Clone + Send + Sync + 'static,
) -> Router<AppState> {
    let options = state.leptos_options.clone();
    let app = move || shell(options.clone());
    // Server functions have routes of their own.
    let functions = server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    let pages = generate_route_list_with_exclusions(app.clone(), Some(functions));
    // Unknown URLs are the router's fallback, because static files have no routes.
    let pages: Vec<_> = pages.into_iter().filter(|page| !page.path().contains('*')).collect();
    // The list still contains the server functions.
    for page in pages.iter().filter(|page| !page.path().starts_with("/api/")) {
        assert!(access_of(page.path()).is_some(), "the page {} has no access policy", page.path());
    }
    let context = state.clone();
    let https = state.config.is_https();
    let provide = move || provide_page_context(&context);
    let router = Router::new().leptos_routes_with_context(state, pages, provide, app);
    router
        .layer(map_response(redirect_all_clients))
        .layer(from_fn_with_state(https, restore_form_values))
        .layer(from_fn(redirect_to_enrolment))
        .layer(from_fn_with_state(VisitorPages::new(state), reuse_page))
}

/// Redirects users who must add a second factor to the enrolment section. Every other access check of a page is done by
/// the server functions that it calls, because the page renders the error itself.
async fn redirect_to_enrolment(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let is_open = access_of(path).is_some_and(Access::is_open_before_enrolment);
    if is_open || !request.extensions().get::<Caller>().is_some_and(|caller| caller.must_enrol) {
        return next.run(request).await;
    }
    match accepts_html(request.headers()) {
        true => (StatusCode::SEE_OTHER, [(LOCATION, ENROLMENT)]).into_response(),
        false => refuse(AppError::MfaEnrolmentRequired),
    }
}

/// Renders the "not found" page for any path, with status 404.
pub(super) fn not_found<V: IntoView + 'static>(
    state: &AppState,
    shell: impl Fn(LeptosOptions) -> V + Clone + Send + Sync + 'static,
) -> Router<AppState> {
    let options = state.leptos_options.clone();
    let app = move || shell(options.clone());
    let state = state.clone();
    let context = move || {
        provide_context(state.clone());
        provide_context(UnknownUrl);
        provide_page_context(&state);
    };
    let render = leptos_axum::render_app_async_with_context(context, app);
    let page = async move |request: Request| {
        let mut response: Response = render(request).await;
        if response.status() == StatusCode::OK {
            *response.status_mut() = StatusCode::NOT_FOUND;
        }
        response
    };
    Router::new().fallback(page).layer(from_fn(redirect_to_enrolment))
}

/// Leptos redirects only clients that accept HTML. The page is useless to other clients too, so they are redirected as
/// well.
async fn redirect_all_clients(mut response: Response) -> Response {
    if response.status() == StatusCode::OK && response.headers().contains_key(LOCATION) {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().remove(REDIRECT_HEADER);
    }
    response
}

/// Provides what a page needs to know about its request and the built files.
fn provide_page_context(state: &AppState) {
    let parts = use_context::<Parts>();
    let language = parts.as_ref().map(|parts| language_in(&parts.extensions));
    provide_context(language.unwrap_or_default());
    provide_context(
        parts.as_ref().map(|parts| find_appearance(&parts.headers, state.config.is_https())).unwrap_or_default(),
    );
    let is_signed_in = parts.is_some_and(|parts| parts.extensions.get::<Caller>().is_some());
    provide_context(state.site.clone());
    provide_context(if is_signed_in { ScriptStart::Immediate } else { ScriptStart::OnInteraction });
    set_csp(state);
}

/// Sets the Content-Security-Policy with the nonce that Leptos generated for this response.
fn set_csp(state: &AppState) {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    // The same condition as in Leptos' reload script: `cargo leptos watch` sets the variable.
    let reload_port = std::env::var_os("LEPTOS_WATCH").map(|_| state.leptos_options.reload_port);
    if let Some(policy) = page_csp(&nonce, reload_port, &state.identities.origins()) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}
