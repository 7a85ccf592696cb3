use leptos::prelude::*;

use super::links::LegalLinks;
use crate::{
    components::PageTitle,
    domain::LegalPage,
    pages::shell::{LoadedStandalone, page_resource},
    server_fns::legal::load_legal,
};

/// `/privacy`
#[component]
pub fn PrivacyPage() -> impl IntoView {
    legal_page(LegalPage::Privacy)
}

/// `/terms`
#[component]
pub fn TermsPage() -> impl IntoView {
    legal_page(LegalPage::Terms)
}

fn legal_page(page: LegalPage) -> AnyView {
    let text = page_resource(|| (), move |()| load_legal(page));
    view! {
        <PageTitle text=page.title() />
        <LoadedStandalone
            data=text
            view=move |html| {
                view! {
                    <main id="main" class="mx-auto w-full max-w-[720px] px-4 py-12">
                        <a class="wordmark min-h-11" href="/">
                            <img src="/icon.svg" alt="" width="28" height="28" />
                            "Colloquy"
                        </a>
                        <h1 class="mb-6 text-display font-semibold tracking-tight">{page.title()}</h1>
                        <div class="prose">
                            <div class="part" inner_html=html></div>
                        </div>
                        <LegalLinks />
                    </main>
                }
                    .into_any()
            }
        />
    }
    .into_any()
}
