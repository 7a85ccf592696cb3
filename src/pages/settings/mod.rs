//! `/settings` and `/settings/confirm`

mod account;
mod activity;
mod address;
mod confirm;
mod data;
mod delete;
mod devices;
mod passkeys;
mod profile;
mod providers;
mod retention;
mod two_step;

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{hooks::use_query_map, location::Url};
use server_fn::ServerFn;

use super::{
    fault::Faulty,
    forms::{form_action, form_error},
    frame::{FrameState, PageBar, ToSignIn},
    legal::LegalLinks,
    loaded::loaded,
};
use crate::{
    components::{FormError, Glyph, Icon, PageTitle},
    domain::AppError,
    server_fns::security::{Settings, load_settings},
};
use account::PasswordSection;
use activity::ActivitySection;
use address::AddressSection;
pub use confirm::ConfirmPage;
use data::DataSection;
use delete::DeleteSection;
use devices::DevicesSection;
use passkeys::PasskeysSection;
use profile::{LocaleSection, NameSection, PictureSection};
use providers::ProvidersSection;
use retention::RetentionSection;
use two_step::TwoStepSection;

/// The person's account: one page, whose sections are saved each on its own.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.with(|query| query.get("activity")));
    let settings = Resource::new_blocking(move || cursor.get(), load_settings);
    view! {
        <PageTitle text="Settings" />
        <PageBar title="Settings" heading=false />
        <div class="page">
            <Transition>
                {loaded(move || async move {
                    match settings.await {
                        Ok(settings) => view! { <Sections settings cursor=cursor.get_untracked() /> }.into_any(),
                        Err(AppError::Unauthenticated) => view! { <ToSignIn /> }.into_any(),
                        Err(error) => view! { <Faulty error /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
    .into_any()
}

/// What the page shows, and how it is looked at again after a change.
#[derive(Clone, Copy)]
struct Shown {
    now: RwSignal<Settings>,
    must_enrol: RwSignal<bool>,
    cursor: StoredValue<Option<String>>,
}

impl Shown {
    /// Reads all of it anew. Sections stay as they are, with what stands in their fields.
    fn look_again(self) {
        let Some(cursor) = self.cursor.try_get_value() else { return };
        spawn_local(async move {
            // Where it cannot be read, the old state stays; the next change says what is wrong.
            if let Ok(settings) = load_settings(cursor).await {
                self.must_enrol.try_set(settings.factors.must_enrol);
                self.now.try_set(settings);
            }
        });
    }

    /// A part of it, which changes only where it becomes another one: a form must not be made anew, and forget what came
    /// of it, because something else was read again.
    fn part<T: PartialEq + Send + Sync + 'static>(self, part: fn(&Settings) -> T) -> Signal<T> {
        Memo::new(move |_| self.now.with(part)).into()
    }

    /// An action whose success is looked at.
    fn action<F>(self) -> ServerAction<F>
    where
        F: ServerFn<Error = AppError> + Clone + Send + Sync,
        F::Output: Send + Sync,
    {
        let action = form_action::<F>();
        Effect::new(move || {
            if action.value().with(|value| matches!(value, Some(Ok(_)))) {
                self.look_again();
            }
        });
        action
    }
}

/// What went wrong with an action.
fn error_of<F>(action: ServerAction<F>) -> Signal<Option<AppError>>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Clone + Send + Sync,
{
    Signal::derive(move || action.value().get().and_then(Result::err))
}

/// Whether an action was done: nothing where it was not tried on this page.
fn done_by<F>(action: ServerAction<F>) -> Signal<Option<bool>>
where
    F: ServerFn<Error = AppError> + Clone + Send + Sync,
    F::Output: Send + Sync,
{
    Signal::derive(move || action.value().with(|value| value.as_ref().map(Result::is_ok)))
}

#[component]
fn Sections(settings: Settings, cursor: Option<String>) -> impl IntoView {
    let has_providers = !settings.providers.is_empty() || !settings.identities.is_empty();
    let frame = FrameState::expect();
    let cursor = StoredValue::new(cursor);
    let shown = Shown { now: RwSignal::new(settings), must_enrol: frame.must_enrol, cursor };
    let links = [
        ("picture", "Picture"),
        ("profile", "Name"),
        ("address", "E-mail address"),
        ("password-section", "Password"),
        ("two-step", "Two-step sign-in"),
        ("passkeys", "Passkeys"),
        ("providers", "Other ways in"),
        ("locale", "Language and time"),
        ("devices", "Devices"),
        ("activity", "Activity"),
        ("retention", "Keeping chats"),
        ("data", "Your data"),
        ("delete", "Delete account"),
    ];
    let links = links.into_iter().filter(|(id, _)| has_providers || *id != "providers");
    let links = links.map(|(id, title)| view! { <li><a href=format!("#{id}") rel="external">{title}</a></li> });
    view! {
        <div class="settings">
            <nav class="settings-list" aria-label="Sections">
                <ul>{links.collect_view()}</ul>
            </nav>
            <div class="min-w-0">
                <h1 class="text-title font-semibold max-lg:sr-only">"Settings"</h1>
                <PictureSection frame shown />
                <NameSection frame shown />
                <AddressSection frame shown />
                <PasswordSection frame shown />
                <TwoStepSection shown />
                <PasskeysSection shown />
                {has_providers.then(|| view! { <ProvidersSection shown /> })}
                <LocaleSection frame shown />
                <DevicesSection shown />
                <ActivitySection page=shown.part(|settings| settings.activity.clone()) />
                <RetentionSection frame shown />
                <DataSection shown />
                <DeleteSection frame shown />
                <LegalLinks />
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

/// What only those may see and do who proved a short while ago who they are; for others, the way to do so.
#[component]
fn Sensitive(
    /// What the page shows.
    shown: Shown,
    /// The id of the section, to come back to.
    section: &'static str,
    /// What can be done then, such as "change the address".
    what: &'static str,
    /// What they may see.
    children: ChildrenFn,
) -> impl IntoView {
    let fresh = shown.part(|settings| settings.proof.fresh);
    move || {
        if fresh.get() {
            children().into_any()
        } else {
            view! {
                <p>
                    <a class="btn btn-line" href=confirm_path(&format!("/settings#{section}"))>
                        "Confirm that it is you"
                    </a>
                    <span class="hint block">{format!("To {what}. It holds for 10 minutes.")}</span>
                </p>
            }
            .into_any()
        }
    }
}

/// The page where one proves who one is, which leads on to `next`.
pub fn confirm_path(next: &str) -> String {
    format!("/settings/confirm?next={}", Url::escape(next))
}

/// What went wrong with a section's form, and the way to confirm where that is what is missing.
#[component]
fn Wrong(
    /// The error.
    error: Signal<Option<AppError>>,
    /// The fields that say themselves what is wrong with them.
    #[prop(default = &[])]
    fields: &'static [&'static str],
    /// The id of the sentence.
    id: &'static str,
    /// The id of the section.
    section: &'static str,
) -> impl IntoView {
    let stale = move || error.with(|error| matches!(error, Some(AppError::Stale)));
    view! {
        <FormError error=form_error(error, fields) id />
        {move || {
            stale()
                .then(|| {
                    view! {
                        <a class="btn btn-line w-fit" href=confirm_path(&format!("/settings#{section}"))>
                            "Confirm that it is you"
                        </a>
                    }
                })
        }}
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
    let told = move || !pending.get() && saved.get().unwrap_or_else(named);
    view! {
        <div class="flex flex-wrap items-center gap-3">
            <button class="btn btn-line" type="submit" aria-busy=move || pending.get().to_string()>
                {words}
            </button>
            <p class="flex items-center gap-1.5 text-label text-good" role="status">
                {move || told().then(|| view! { <Icon glyph=Glyph::Check /> {result} })}
            </p>
        </div>
    }
    .into_any()
}
