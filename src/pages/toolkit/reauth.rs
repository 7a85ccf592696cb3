//! Re-authentication before sensitive actions.

use leptos::prelude::*;
use leptos_router::{hooks::use_location, location::Url};

use super::form_error::form_error;
use crate::{components::FormError, domain::AppError};

/// The link to the re-authentication page.
#[component]
pub fn ReauthLink(
    /// The path to return to afterwards.
    #[prop(into)]
    next: String,
    /// The classes of the link.
    #[prop(default = "btn btn-line")]
    class: &'static str,
) -> impl IntoView {
    view! {
        <a class=class href=format!("/settings/confirm?next={}", Url::escape(&next))>
            {t!("chat.confirm.link")}
        </a>
    }
}

/// Asks an administrator to re-authenticate before they change anything.
#[component]
pub fn ReauthNotice() -> impl IntoView {
    let current_path = use_location().pathname.get_untracked();
    view! {
        <div class="notice mb-6 block">
            <p class="mb-3">{t!("chat.confirm.first")}</p>
            <ReauthLink next=current_path />
        </div>
    }
    .into_any()
}

/// Renders its content only for users who have re-authenticated recently; for others, a link to do so.
#[component]
pub fn ReauthGate(
    /// Whether the user has authenticated recently.
    recently_authenticated: Signal<bool>,
    /// The path to return to afterwards.
    next: &'static str,
    /// A sentence: why it is needed, and how long it is valid.
    hint: &'static str,
    /// The protected content.
    children: ChildrenFn,
) -> impl IntoView {
    move || {
        if recently_authenticated.get() {
            children().into_any()
        } else {
            view! {
                <p>
                    <ReauthLink next />
                    <span class="hint block">{hint}</span>
                </p>
            }
            .into_any()
        }
    }
}

/// The error of a form, with a link to re-authenticate if that is required.
#[component]
pub fn FormErrorOrReauth(
    /// The error.
    error: Signal<Option<AppError>>,
    /// The fields that show their own errors.
    #[prop(default = &[])]
    fields: &'static [&'static str],
    /// The id of the error message.
    id: &'static str,
    /// The path to return to afterwards.
    next: &'static str,
) -> impl IntoView {
    let needs_reauth = move || error.with(|error| matches!(error, Some(AppError::ReauthRequired)));
    view! {
        <FormError error=form_error(error, fields) id />
        {move || needs_reauth().then(|| view! { <ReauthLink next class="btn btn-line w-fit" /> })}
    }
    .into_any()
}
