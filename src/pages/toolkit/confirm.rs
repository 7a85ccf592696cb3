//! Proving again who one is, before something that matters.

use leptos::prelude::*;
use leptos_router::{hooks::use_location, location::Url};

use super::form_error::form_error;
use crate::{components::FormError, domain::AppError};

/// The link to the page where one proves who one is.
#[component]
pub fn ConfirmLink(
    /// Where that leads afterwards.
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

/// Sends an administrator to prove who they are, before they change anything.
#[component]
pub fn ConfirmFirst() -> impl IntoView {
    let here = use_location().pathname.get_untracked();
    view! {
        <div class="notice mb-6 block">
            <p class="mb-3">{t!("chat.confirm.first")}</p>
            <ConfirmLink next=here />
        </div>
    }
    .into_any()
}

/// What only those may see and do who proved a short while ago who they are; for others, the way to do so.
#[component]
pub fn ConfirmGate(
    /// Whether they did.
    fresh: Signal<bool>,
    /// The path to come back to.
    next: &'static str,
    /// A sentence: what for, and how long it holds.
    hint: &'static str,
    /// What they may see.
    children: ChildrenFn,
) -> impl IntoView {
    move || {
        if fresh.get() {
            children().into_any()
        } else {
            view! {
                <p>
                    <ConfirmLink next />
                    <span class="hint block">{hint}</span>
                </p>
            }
            .into_any()
        }
    }
}

/// What went wrong with a form, and the way to confirm where that is what is missing.
#[component]
pub fn FormErrorOrConfirm(
    /// The error.
    error: Signal<Option<AppError>>,
    /// The fields that say themselves what is wrong with them.
    #[prop(default = &[])]
    fields: &'static [&'static str],
    /// The id of the sentence.
    id: &'static str,
    /// The path to come back to.
    next: &'static str,
) -> impl IntoView {
    let stale = move || error.with(|error| matches!(error, Some(AppError::Stale)));
    view! {
        <FormError error=form_error(error, fields) id />
        {move || stale().then(|| view! { <ConfirmLink next class="btn btn-line w-fit" /> })}
    }
    .into_any()
}
