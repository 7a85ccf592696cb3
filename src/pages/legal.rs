use leptos::prelude::*;

use super::{
    fault::{Alone, Faulty},
    loaded::loaded,
};
use crate::{components::PageTitle, domain::LegalPage, server_fns::legal::load_legal};

/// `/privacy`
#[component]
pub fn PrivacyPage() -> impl IntoView {
    legal(LegalPage::Privacy)
}

/// `/terms`
#[component]
pub fn TermsPage() -> impl IntoView {
    legal(LegalPage::Terms)
}

fn legal(page: LegalPage) -> AnyView {
    let text = Resource::new_blocking(|| (), move |()| load_legal(page));
    view! {
        <PageTitle text=page.title() />
        <Suspense>
            {loaded(move || async move {
                match text.await {
                    Ok(html) => {
                        view! {
                            <main id="main" class="mx-auto w-full max-w-[720px] px-4 py-12">
                                <a class="link inline-flex min-h-11 items-center font-semibold" href="/">
                                    "Colloquy"
                                </a>
                                <h1 class="mt-4 mb-6 text-display font-semibold tracking-tight">{page.title()}</h1>
                                <div class="prose" inner_html=html></div>
                                <LegalLinks />
                            </main>
                        }
                            .into_any()
                    }
                    Err(error) => view! { <Alone><Faulty error /></Alone> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

/// The foot with the ways to both pages.
#[component]
pub fn LegalLinks() -> impl IntoView {
    view! {
        <footer class="mt-10 flex gap-5 text-label">
            <a class="link inline-flex min-h-11 items-center" href="/privacy">
                "Privacy"
            </a>
            <a class="link inline-flex min-h-11 items-center" href="/terms">
                "Terms"
            </a>
        </footer>
    }
    .into_any()
}
