//! `/settings`

mod account;
mod activity;
mod devices;
mod profile;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    fault::Faulty,
    frame::{FrameState, PageBar, ToSignIn},
};
use crate::{
    components::{Glyph, Icon, PageTitle},
    domain::AppError,
    server_fns::security::{Settings, load_settings},
};
use account::PasswordSection;
use activity::ActivitySection;
use devices::DevicesSection;
use profile::{LanguageSection, NameSection};

/// The person's account: one page, whose sections are saved each on its own.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.with(|query| query.get("activity")));
    let again = RwSignal::new(0_u32);
    let settings = Resource::new_blocking(move || (cursor.get(), again.get()), |(cursor, _)| load_settings(cursor));
    let on_change = Callback::new(move |()| again.update(|count| *count += 1));
    view! {
        <PageTitle text="Settings" />
        <PageBar title="Settings" heading=false />
        <div class="page">
            <div class="column settings">
                <h1 class="text-title font-semibold max-lg:sr-only">"Settings"</h1>
                <NameSection frame=FrameState::expect() on_change />
                <PasswordSection frame=FrameState::expect() on_change />
                <Transition>
                    {move || Suspend::new(async move {
                        match settings.await {
                            Ok(Settings { devices, activity, profile }) => {
                                view! {
                                    <LanguageSection profile />
                                    <DevicesSection devices on_change />
                                    <ActivitySection page=activity />
                                }
                                    .into_any()
                            }
                            Err(AppError::Unauthenticated) => view! { <ToSignIn /> }.into_any(),
                            Err(error) => view! { <Faulty error /> }.into_any(),
                        }
                    })}
                </Transition>
            </div>
        </div>
    }
    .into_any()
}

/// One part of the settings.
#[component]
fn Section(
    /// Its id, for links to it.
    id: &'static str,
    /// Its heading.
    title: &'static str,
    /// One sentence.
    sentence: &'static str,
    /// Its form.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="settings-section" id=id aria-labelledby=format!("{id}-title")>
            <h2 class="font-semibold" id=format!("{id}-title")>
                {title}
            </h2>
            <p class="mt-1 mb-5 text-ink-soft">{sentence}</p>
            {children()}
        </section>
    }
    .into_any()
}

/// The button of a section, and what came of it. `done` is what the address says after a plain form.
#[component]
fn Save(
    /// What the button says.
    words: &'static str,
    /// The word for it in the address.
    done: &'static str,
    /// What is said when it was done.
    result: &'static str,
    /// Whether it is on its way.
    #[prop(into)]
    pending: Signal<bool>,
    /// Whether it was done: nothing where it was not tried on this page.
    #[prop(into)]
    saved: Signal<Option<bool>>,
) -> impl IntoView {
    let query = use_query_map();
    let named = move || query.with(|query| query.get_str("done") == Some(done));
    let shown = move || !pending.get() && saved.get().unwrap_or_else(named);
    view! {
        <div class="flex flex-wrap items-center gap-3">
            <button class="btn btn-line" type="submit" aria-busy=move || pending.get().to_string()>
                {words}
            </button>
            <p class="flex items-center gap-1.5 text-label text-good" role="status">
                {move || shown().then(|| view! { <Icon glyph=Glyph::Check /> {result} })}
            </p>
        </div>
    }
    .into_any()
}
