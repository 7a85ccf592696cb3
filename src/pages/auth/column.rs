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
        <main id="main" class="flex min-h-dvh justify-center px-4 pt-[14vh] pb-12">
            <div class="w-full max-w-[360px]">
                <p class="mb-6 font-semibold text-accent">"Colloquy"</p>
                <h1 class="text-display font-semibold tracking-tight">{title}</h1>
                {(!sentence.is_empty()).then(|| view! { <p class="mt-1 text-ink-soft">{sentence}</p> })}
                <div class="mt-8">{children()}</div>
                <LegalLinks />
            </div>
        </main>
    }
    .into_any()
}
