use leptos::prelude::*;

/// The footer with links to the privacy policy and the terms.
#[component]
pub fn LegalLinks() -> impl IntoView {
    view! {
        <footer class="mt-10 flex gap-5 text-label">
            <a class="link inline-flex min-h-11 items-center" href="/privacy">
                {t!("common.privacy")}
            </a>
            <a class="link inline-flex min-h-11 items-center" href="/terms">
                {t!("common.terms")}
            </a>
        </footer>
    }
    .into_any()
}
