//! `/settings`

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    activity::ActivitySection, address::AddressSection, deletion::DeletionSection, devices::DevicesSection,
    export::ExportSection, locale::LocaleSection, name::NameSection, passkeys::PasskeysSection,
    password::PasswordSection, picture::PictureSection, providers::ProvidersSection, retention::RetentionSection,
    state::SettingsState, two_step::TwoStepSection,
};
use crate::{
    components::PageTitle,
    domain::Settings,
    pages::{
        legal::LegalLinks,
        shell::{CurrentPerson, Loaded, PageBar, page_resource},
    },
    server_fns::security::load_settings,
};

/// The settings of the account: one page whose sections are saved separately.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.with(|query| query.get("activity")));
    let settings = page_resource(move || cursor.get(), load_settings);
    view! {
        <PageTitle text=t!("settings.title") />
        <PageBar title=t!("settings.title") heading=false />
        <div class="page">
            <Loaded
                data=settings
                view=move |settings| view! { <Sections settings cursor=cursor.get_untracked() /> }.into_any()
            />
        </div>
    }
    .into_any()
}

#[component]
fn Sections(settings: Settings, cursor: Option<String>) -> impl IntoView {
    let has_providers = !settings.providers.is_empty() || !settings.identities.is_empty();
    let cursor = StoredValue::new(cursor);
    let state =
        SettingsState { settings: RwSignal::new(settings), must_enrol: CurrentPerson::expect().must_enrol, cursor };
    let links = [
        ("picture", t!("settings.picture.title")),
        ("profile", t!("settings.name.title")),
        ("address", t!("settings.address.title")),
        ("password-section", t!("settings.password.title")),
        ("two-step", t!("settings.two_step.title")),
        ("passkeys", t!("settings.passkeys.title")),
        ("providers", t!("settings.providers.title")),
        ("locale", t!("settings.locale.title")),
        ("devices", t!("settings.devices.title")),
        ("activity", t!("settings.activity.title")),
        ("retention", t!("settings.retention.title")),
        ("data", t!("settings.data.title")),
        ("delete", t!("settings.delete.title")),
    ];
    let links = links.into_iter().filter(|(id, _)| has_providers || *id != "providers");
    let links = links.map(|(id, title)| view! { <li><a href=format!("#{id}") rel="external">{title}</a></li> });
    view! {
        <div class="settings">
            <nav class="settings-list" aria-label=t!("settings.sections")>
                <ul>{links.collect_view()}</ul>
            </nav>
            <div class="min-w-0">
                <h1 class="text-title font-semibold max-lg:sr-only">{t!("settings.title")}</h1>
                <PictureSection state />
                <NameSection state />
                <AddressSection state />
                <PasswordSection state />
                <TwoStepSection state />
                <PasskeysSection state />
                {has_providers.then(|| view! { <ProvidersSection state /> })}
                <LocaleSection state />
                <DevicesSection state />
                <ActivitySection page=state.select(|settings| settings.activity.clone()) />
                <RetentionSection state />
                <ExportSection state />
                <DeletionSection state />
                <LegalLinks />
            </div>
        </div>
    }
    .into_any()
}
