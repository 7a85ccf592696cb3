use leptos::prelude::*;

use crate::components::{Glyph, Icon};

/// One part of a page.
#[component]
pub fn Part(
    /// Its id, for links to it.
    id: &'static str,
    /// Its heading.
    title: &'static str,
    /// One sentence.
    #[prop(into)]
    sentence: String,
    /// What can be done.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="settings-section border-t border-line" id=id aria-labelledby=format!("{id}-title")>
            <h2 class="font-semibold" id=format!("{id}-title")>
                {title}
            </h2>
            <p class="mt-1 mb-5 text-ink-soft">{sentence}</p>
            {children()}
        </section>
    }
    .into_any()
}

/// What came of a change, read out when it appears.
#[component]
pub fn Told(
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
