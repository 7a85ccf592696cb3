//! `/people/{id}`

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{
    access::AccessSection, deletion::DeletionSection, factors::FactorsSection, password::PasswordSection,
    role::RoleSection, sign_ins::SignInsSection, state::PersonState,
};
use crate::{
    components::{FormError, TimeAgo, person_avatar},
    domain::{AppError, Person, PersonSummary, UserId},
    pages::{
        admin::people::person_badges,
        shell::{Loaded, Page, ReaderTime, page_resource},
        toolkit::{ReauthNotice, focus_error, form_error},
    },
    server_fns::people::load_person,
};

/// One person, with the actions that an administrator has on their account.
#[component]
pub fn PersonPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")).unwrap_or_default());
    let reload_count = RwSignal::new(0_u32);
    let on_change = Callback::new(move |()| reload_count.update(|count| *count += 1));
    let person = page_resource(
        move || (id.get(), reload_count.get()),
        |(id, _)| async move {
            let user: UserId = id.parse().map_err(|_| AppError::NotFound)?;
            load_person(user).await
        },
    );
    let state = PersonState::new(on_change);
    view! {
        <Page title=t!("admin.person.title")>
            <Loaded data=person view=move |person| view! { <Content person state /> }.into_any() />
        </Page>
    }
}

#[component]
fn Content(person: Person, state: PersonState) -> impl IntoView {
    const FIELDS: &[&str] = &[];
    let error: Signal<Option<AppError>> = state.error.into();
    focus_error(error, FIELDS, "person-error");
    let recently_authenticated = person.recently_authenticated;
    // Who will be deleted can only be kept: nothing else would make a difference.
    let stays = person.deletion_at.is_none();
    let needs_reauth = move || error.with(|error| matches!(error, Some(AppError::ReauthRequired)));
    view! {
        <p class="mb-4">
            <a class="link inline-flex min-h-11 items-center" href="/people">
                {t!("admin.person.all_people")}
            </a>
        </p>
        {move || (!recently_authenticated || needs_reauth()).then(|| view! { <ReauthNotice /> })}
        <FormError error=form_error(error, FIELDS) id="person-error" />
        <PersonHeading person=person.clone() />
        {(!stays).then(|| view! { <DeletionSection person=person.clone() state /> })}
        <div class="settings-card">
            <RoleSection person=person.clone() state />
            {stays
                .then(|| {
                    view! {
                        <PasswordSection person=person.clone() state />
                        <FactorsSection person=person.clone() state />
                        <AccessSection person=person.clone() state />
                    }
                })}
        </div>
        <SignInsSection person=person.clone() state />
        {stays.then(|| view! { <DeletionSection person=person.clone() state /> })}
    }
    .into_any()
}

/// The name, the address and the dates of a person.
#[component]
fn PersonHeading(person: Person) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let Person { summary, created_at, email_verified, is_self, .. } = person;
    let (avatar, badges) = (person_avatar(&summary, true), person_badges(&summary));
    let PersonSummary { name, email, last_seen_at, .. } = summary;
    let address = if email_verified {
        t!("admin.person.address_confirmed", address = email)
    } else {
        t!("admin.person.address_not_confirmed", address = email)
    };
    view! {
        <div class="person-head">
            {avatar}
            <div class="min-w-0">
            <h1 class="flex flex-wrap items-center gap-2 text-title font-semibold">
                <span class="min-w-0 break-words" dir="auto">
                    {name}
                </span>
                {is_self.then(|| view! { <span class="chip chip-quiet">{t!("admin.person.you")}</span> })}
                {badges}
            </h1>
            <p class="break-words text-ink-soft">{address}</p>
            <p class="mt-1 text-label text-ink-soft">
                {rich!("admin.person.made", when = |_| view! { <TimeAgo at=created_at clock /> })}
                {last_seen_at
                    .map(|at| {
                        view! { " · " {rich!("admin.person.last_seen", when = |_| view! { <TimeAgo at clock /> })} }
                    })}
            </p>
            </div>
        </div>
    }
    .into_any()
}
