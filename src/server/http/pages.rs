//! The pages: rendered by Leptos, with a policy that knows their nonce.

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
    headers::policy_of_pages,
    refusal::{language_in, refuse},
    typed::give_back,
};
use crate::{
    domain::AppError,
    server::{access::Access, auth::Unenrolled, state::AppState},
};

/// Where a second factor is added.
const ENROLMENT: &str = "/settings#two-step";

/// Who may see each page.
const PAGES: &[(&str, Access)] = &[
    ("/sign-in", Access::Anyone),
    ("/sign-up", Access::Anyone),
    ("/sign-in/code", Access::Anyone),
    ("/forgot-password", Access::Anyone),
    ("/reset-password", Access::Anyone),
    ("/verify-address", Access::Anyone),
    ("/confirm-address", Access::Anyone),
    ("/privacy", Access::Anyone),
    ("/terms", Access::Anyone),
    ("/settings", Access::Unenrolled),
    ("/settings/confirm", Access::Unenrolled),
    ("/", Access::Person),
    ("/chats/{id}", Access::Person),
    ("/sessions", Access::Person),
    ("/people", Access::Administrator),
    ("/people/{id}", Access::Administrator),
    ("/audit", Access::Administrator),
    ("/jobs", Access::Administrator),
];

fn access_of(path: &str) -> Option<Access> {
    PAGES.iter().find(|(page, _)| *page == path).map(|(_, access)| *access)
}

/// The routes of the application's pages. `shell` renders the whole document.
pub(super) fn routes<V: IntoView + 'static>(
    state: &AppState,
    shell: impl Fn(LeptosOptions) -> V + Clone + Send + Sync + 'static,
) -> Router<AppState> {
    let options = state.leptos_options.clone();
    let app = move || shell(options.clone());
    // The server functions have routes of their own.
    let functions = server_fn::axum::server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    let pages = generate_route_list_with_exclusions(app.clone(), Some(functions));
    // The list holds the functions too.
    for page in pages.iter().filter(|page| !page.path().starts_with("/api/")) {
        assert!(access_of(page.path()).is_some(), "the page {} has no access policy", page.path());
    }
    let context = state.clone();
    let https = state.config.url.as_ref().is_some_and(|url| url.https);
    let provide = move || {
        provide_language();
        set_policy(&context);
    };
    let router = Router::new().leptos_routes_with_context(state, pages, provide, app);
    router.layer(map_response(send_on)).layer(from_fn_with_state(https, give_back)).layer(from_fn(lead_to_enrolment))
}

/// Leads whoever must add a second factor to where they do so. All else a page refuses itself, by the functions that it
/// calls, because it says so in its own words and where to go.
async fn lead_to_enrolment(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let is_open = access_of(path).is_some_and(Access::is_open_before_enrolment);
    if is_open || request.extensions().get::<Unenrolled>().is_none() {
        return next.run(request).await;
    }
    match accepts_html(request.headers()) {
        true => (StatusCode::SEE_OTHER, [(LOCATION, ENROLMENT)]).into_response(),
        false => refuse(AppError::Unenrolled),
    }
}

/// For whatever path: the page that says that there is no such page, with status 404.
pub(super) fn not_found<V: IntoView + 'static>(
    state: &AppState,
    shell: impl Fn(LeptosOptions) -> V + Clone + Send + Sync + 'static,
) -> Router<AppState> {
    let options = state.leptos_options.clone();
    let app = move || shell(options.clone());
    let state = state.clone();
    let context = move || {
        provide_context(state.clone());
        provide_language();
        set_policy(&state);
    };
    let render = leptos_axum::render_app_async_with_context(context, app);
    let page = async move |request: Request| {
        let mut response: Response = render(request).await;
        if response.status() == StatusCode::OK {
            *response.status_mut() = StatusCode::NOT_FOUND;
        }
        response
    };
    Router::new().fallback(page).layer(from_fn(lead_to_enrolment))
}

/// Leptos sends on only those who say that they read HTML. A page that leads elsewhere is of no use to others either.
async fn send_on(mut response: Response) -> Response {
    if response.status() == StatusCode::OK && response.headers().contains_key(LOCATION) {
        *response.status_mut() = StatusCode::FOUND;
        response.headers_mut().remove(REDIRECT_HEADER);
    }
    response
}

/// Has the page be written in the language that whoever asks for it reads.
fn provide_language() {
    let language = use_context::<Parts>().map(|parts| language_in(&parts.extensions));
    provide_context(language.unwrap_or_default());
}

/// Sets the policy with the nonce that Leptos has just made for this answer.
fn set_policy(state: &AppState) {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    // As the development server's own script asks: `cargo leptos watch` sets the variable.
    let reload_port = std::env::var_os("LEPTOS_WATCH").map(|_| state.leptos_options.reload_port);
    if let Some(policy) = policy_of_pages(&nonce, reload_port, &state.identities.origins()) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}
