use leptos::prelude::*;

use crate::components::{Glyph, Icon};

/// What came of a change, read out when it appears.
#[component]
pub fn StatusMessage(
    /// A sentence, once there is one.
    #[prop(into)]
    words: Signal<Option<&'static str>>,
) -> impl IntoView {
    view! {
        <p class="flex items-center gap-1.5 text-label text-good" role="status">
            {move || words.get().map(|words| view! { <Icon glyph=Glyph::Check /> {words} })}
        </p>
    }
    .into_any()
}

/// The button of a form, and what came of it.
#[component]
pub fn SubmitButton(
    /// What the button says.
    words: &'static str,
    /// Whether it is on its way.
    #[prop(into)]
    pending: Signal<bool>,
    /// A sentence, once it was done.
    status: Signal<Option<&'static str>>,
) -> impl IntoView {
    view! {
        <div class="flex flex-wrap items-center gap-3">
            <button class="btn btn-line" type="submit" aria-busy=move || pending.get().to_string()>
                {words}
            </button>
            <StatusMessage words=status />
        </div>
    }
    .into_any()
}
