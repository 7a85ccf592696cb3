use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    components::{Dead, PageTitle},
    domain::AppError,
};

/// Sets the HTTP status of the page that is being rendered. In the browser it does nothing.
#[cfg_attr(not(feature = "ssr"), expect(unused_variables, reason = "pages have a status on the server only"))]
pub fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(options), Ok(status)) =
        (use_context::<leptos_axum::ResponseOptions>(), axum::http::StatusCode::from_u16(status))
    {
        options.set_status(status);
    }
}

/// A page that stands alone, outside of the frame.
#[component]
pub fn Alone(children: Children) -> impl IntoView {
    view! {
        <main id="main" class="flex min-h-dvh">
            {children()}
        </main>
    }
}

/// An address that belongs to no page.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    view! {
        <Alone>
            <NotFound />
        </Alone>
    }
}

/// What is not there, or not yours.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(404);
    view! {
        <PageTitle text=t!("common.not_found.title") />
        <Dead
            title=t!("common.not_found.title")
            sentence=t!("common.not_found.sentence")
            href="/"
            action=t!("common.not_found.action")
        />
    }
}

/// What stands in place of content that could not be loaded.
#[component]
pub fn Faulty(
    /// Why.
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
    let here = use_location();
    let href = format!("{}?{}", here.pathname.get_untracked(), here.search.get_untracked());
    view! {
        <PageTitle text=title />
        <Dead title sentence=error.text() href=href.trim_end_matches('?').to_owned() action=t!("common.retry") />
    }
    .into_any()
}
