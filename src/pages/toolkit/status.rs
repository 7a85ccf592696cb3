use leptos::prelude::*;

use crate::components::{Glyph, Icon};

/// The success message of a change, in a live region.
#[component]
pub fn StatusMessage(
    /// The message; `None` until there is one.
    #[prop(into)]
    text: Signal<Option<&'static str>>,
) -> impl IntoView {
    view! {
        <p class="flex items-center gap-1.5 text-label text-good" role="status">
            {move || text.get().map(|text| view! { <Icon glyph=Glyph::Check /> {text} })}
        </p>
    }
    .into_any()
}

/// What stands after a choice that is saved at once: without scripts a button, and a short success message.
#[component]
pub fn AutoSave(
    /// The success message; `None` until there is one.
    status: Signal<Option<&'static str>>,
) -> impl IntoView {
    view! {
        <div class="flex flex-wrap items-center gap-3">
            <button class="btn btn-line nojs-only" type="submit">
                {t!("common.save")}
            </button>
            <div class="brief">
                <StatusMessage text=status />
            </div>
        </div>
    }
    .into_any()
}

/// The submit button of a form, and its status message.
#[component]
pub fn SubmitButton(
    /// The label of the button.
    label: &'static str,
    /// Whether the request is pending.
    #[prop(into)]
    pending: Signal<bool>,
    /// The success message; `None` until there is one.
    status: Signal<Option<&'static str>>,
) -> impl IntoView {
    view! {
        <div class="flex flex-wrap items-center gap-3">
            <button class="btn btn-line" type="submit" aria-busy=move || pending.get().to_string()>
                {label}
            </button>
            <StatusMessage text=status />
        </div>
    }
    .into_any()
}
