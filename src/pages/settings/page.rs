//! `/settings`, `/settings/security` and `/settings/data`: pages of sections that are saved separately.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    activity::ActivitySection, address::AddressSection, deletion::DeletionSection, devices::DevicesSection,
    export::ExportSection, layout::SettingsLayout, locale::LocaleSection, name::NameSection, passkeys::PasskeysSection,
    password::PasswordSection, picture::PictureSection, providers::ProvidersSection, retention::RetentionSection,
    state::SettingsState, two_step::TwoStepSection,
};
use crate::{
    domain::SettingsPart,
    pages::shell::{CurrentPerson, Loaded, page_resource},
    server_fns::security::load_settings,
};

/// Who the user is: photo, name, email, language and time.
#[component]
pub fn ProfilePage() -> impl IntoView {
    part_page(SettingsPart::Profile, "/settings", t!("settings.page.profile"), |state| {
        view! {
            <div class="settings-card">
                <PictureSection state />
                <NameSection state />
                <AddressSection state />
            </div>
            <LocaleSection state />
        }
        .into_any()
    })
}

/// How the user signs in, and what happened to the account.
#[component]
pub fn SecurityPage() -> impl IntoView {
    part_page(SettingsPart::Security, "/settings/security", t!("settings.page.security"), |state| {
        let has_providers =
            state.settings.with_untracked(|settings| !settings.providers.is_empty() || !settings.identities.is_empty());
        view! {
            <PasswordSection state />
            <TwoStepSection state />
            <PasskeysSection state />
            {has_providers.then(|| view! { <ProvidersSection state /> })}
            <DevicesSection state />
            <ActivitySection page=state.select(|settings| settings.activity.clone()) cursor=state.cursor />
        }
        .into_any()
    })
}

/// What is stored, for how long, and how to leave.
#[component]
pub fn DataPage() -> impl IntoView {
    part_page(SettingsPart::Data, "/settings/data", t!("settings.page.data"), |state| {
        // Nothing is left to delete later in an account that will be deleted.
        let deletion = CurrentPerson::expect().deletion;
        let stays = deletion.with_untracked(Option::is_none);
        view! {
            {stays.then(|| view! { <RetentionSection state /> })}
            <ExportSection state />
            <DeletionSection state />
        }
        .into_any()
    })
}

/// A page whose data is loaded for it alone. `sections` renders them.
fn part_page(
    part: SettingsPart,
    path: &'static str,
    title: &'static str,
    sections: fn(SettingsState) -> AnyView,
) -> AnyView {
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.with(|query| query.get("activity")));
    let settings = page_resource(move || cursor.get(), move |cursor| load_settings(part, cursor));
    let view = move |settings| {
        sections(SettingsState {
            settings: RwSignal::new(settings),
            must_enrol: CurrentPerson::expect().must_enrol,
            part,
            cursor: StoredValue::new(cursor.get_untracked()),
            added_passkey: RwSignal::new(false),
        })
    };
    view! {
        <SettingsLayout path title>
            <Loaded data=settings view />
        </SettingsLayout>
    }
    .into_any()
}
