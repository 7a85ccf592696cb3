use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    components::{MessagePage, PageTitle},
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

/// The page for unknown URLs.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <StandalonePage>
            <NotFound />
        </StandalonePage>
    }
}

/// The message for something that does not exist or belongs to another user.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    view! {
        <PageTitle text=t!("common.not_found.title") />
        <MessagePage
            title=t!("common.not_found.title")
            sentence=t!("common.not_found.sentence")
            href="/"
            action=t!("common.not_found.action")
        />
    }
}

/// The message instead of content that could not be loaded.
#[component]
pub fn ErrorView(
    /// The reason.
    error: AppError,
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
    let location = use_location();
    let href = format!("{}?{}", location.pathname.get_untracked(), location.search.get_untracked());
    view! {
        <PageTitle text=title />
        <MessagePage title sentence=error.text() href=href.trim_end_matches('?').to_owned() action=t!("common.retry") />
    }
    .into_any()
}
