use leptos::{prelude::*, web_sys};
use leptos_router::hooks::use_location;

use super::page_bar::PageBar;
use crate::{
    components::{PageTitle, browser},
    domain::AppError,
};

/// Sets the HTTP status of the page that is being rendered. Does nothing in the browser.
#[cfg_attr(not(feature = "ssr"), expect(unused_variables, reason = "pages have a status on the server only"))]
pub fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(options), Ok(status)) =
        (use_context::<leptos_axum::ResponseOptions>(), axum::http::StatusCode::from_u16(status))
    {
        options.set_status(status);
    }
}

/// A page outside the frame.
#[component]
pub fn StandalonePage(children: Children) -> impl IntoView {
    view! {
        <main id="main" class="flex min-h-dvh">
            {children()}
        </main>
    }
}

/// A column with the name of the product, for errors outside the frame.
#[component]
fn ErrorColumn(children: Children) -> impl IntoView {
    view! {
        <main id="main" class="error-column">
            <p class="wordmark">
                <img src="/icon.svg" alt="" width="28" height="28" />
                "Colloquy"
            </p>
            {children()}
        </main>
    }
    .into_any()
}

/// The page for unknown URLs, inside the frame.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <PageBar title=t!("common.not_found.title") heading=false />
        <NotFound />
    }
    .into_any()
}

/// An error outside the frame.
#[component]
pub fn ErrorPage(
    /// The reason.
    error: AppError,
    /// Loads again what could not be loaded.
    on_retry: Callback<()>,
) -> impl IntoView {
    view! {
        <ErrorColumn>
            <ErrorView error on_retry />
        </ErrorColumn>
    }
    .into_any()
}

/// The message for something that does not exist or belongs to another user.
#[component]
fn NotFound() -> impl IntoView {
    set_status(404);
    // Whether the reader is signed in is known to the whole document; CSS shows the link that leads on.
    view! {
        <PageTitle text=t!("common.not_found.title") />
        <div class="error-message">
            <div>
                <h1>{t!("common.not_found.title")}</h1>
                <p>{t!("common.not_found.sentence")}</p>
                <a class="btn btn-primary members-only" href="/">
                    {t!("common.not_found.action")}
                </a>
                <a class="btn btn-primary visitors-only" href="/sign-in">
                    {t!("common.not_found.sign_in")}
                </a>
            </div>
        </div>
    }
    .into_any()
}

/// The message instead of content that could not be loaded. What failed because of the connection is loaded again when
/// the connection is back.
#[component]
pub fn ErrorView(
    /// The reason.
    error: AppError,
    /// Loads it again. Without it, the link loads the whole page.
    #[prop(optional)]
    on_retry: Option<Callback<()>>,
) -> impl IntoView {
    if matches!(error, AppError::NotFound | AppError::Forbidden) {
        return view! { <NotFound /> }.into_any();
    }
    set_status(error.status());
    let title = match error {
        AppError::Transport => t!("common.fault.offline"),
        AppError::Invalid { .. } => t!("common.fault.invalid"),
        _ => t!("common.fault.not_loaded"),
    };
    if let (AppError::Transport | AppError::Unreadable, Some(on_retry)) = (&error, on_retry) {
        browser::on_reconnect(move || on_retry.run(()));
    }
    let on_click = move |event: web_sys::MouseEvent| {
        if let Some(on_retry) = on_retry {
            event.prevent_default();
            on_retry.run(());
        }
    };
    let location = use_location();
    let href = format!("{}?{}", location.pathname.get_untracked(), location.search.get_untracked());
    view! {
        <PageTitle text=title />
        <div class="error-message">
            <div role="alert">
                <h1>{title}</h1>
                <p>{error.text()}</p>
                <a
                    class="btn btn-primary"
                    href=href.trim_end_matches('?').to_owned()
                    rel="external"
                    on:click=on_click
                >
                    {t!("common.retry")}
                </a>
            </div>
        </div>
    }
    .into_any()
}
