use leptos::prelude::*;

use crate::{
    components::PageTitle,
    pages::{legal::LegalLinks, shell::PageBar},
};

/// What stands around every settings page: the list of them, and the heading.
#[component]
pub fn SettingsLayout(
    /// The path of this page.
    path: &'static str,
    /// The name of this page.
    title: &'static str,
    /// The sections.
    children: Children,
) -> impl IntoView {
    let pages = [
        ("/settings", t!("settings.page.profile")),
        ("/settings/appearance", t!("settings.page.appearance")),
        ("/settings/security", t!("settings.page.security")),
        ("/settings/data", t!("settings.page.data")),
    ];
    let links = pages.map(|(href, name)| {
        view! {
            <li>
                <a href=href aria-current=(href == path).then_some("page")>
                    {name}
                </a>
            </li>
        }
    });
    view! {
        <PageTitle text=title />
        <PageBar title=t!("settings.title") heading=false />
        <div class="page">
            <div class="settings">
                <nav class="settings-list" aria-label=t!("settings.sections")>
                    <ul>{links.into_iter().collect_view()}</ul>
                </nav>
                <div class="min-w-0">
                    <h1 class="mb-4 text-title font-semibold">{title}</h1>
                    {children()}
                    <LegalLinks />
                </div>
            </div>
        </div>
    }
    .into_any()
}
