use leptos::prelude::*;

use crate::pages::legal::LegalLinks;

/// The column of the pages for signed-out visitors.
#[component]
pub fn AuthColumn(
    /// The heading of the page.
    title: &'static str,
    /// The sentence below the heading; empty for none.
    #[prop(into)]
    sentence: String,
    /// The form, then other sign-in methods.
    children: Children,
) -> impl IntoView {
    view! {
        <main id="main" class="entrance">
            <div class="entrance-column">
                <p class="entrance-mark">
                    <img src="/icon.svg" alt="" width="40" height="40" />
                    "Colloquy"
                </p>
                <h1 class="entrance-title">{title}</h1>
                {(!sentence.is_empty()).then(|| view! { <p class="mt-1 text-ink-soft">{sentence}</p> })}
                <div class="entrance-body">{children()}</div>
                <LegalLinks />
            </div>
        </main>
    }
    .into_any()
}
