//! `/people` and `/people/{id}`, for administrators.

mod confirm;
mod invitations;
mod mails;
mod person;
mod receipts;
mod removal;
mod sections;

pub use person::PersonPage;
pub use removal::RemovalNotice;
pub use sections::Told;

use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

use super::{
    fault::Faulty,
    frame::{FrameState, PageBar, ToSignIn},
    loaded::loaded,
};
use crate::{
    components::{Glyph, Icon, PageTitle, TimeAgo},
    domain::{AppError, People, PeoplePage as Page, PersonSummary, Role, SignUpPolicy, limits},
    server_fns::people::load_people,
};
use invitations::{InvitationState, Invitations};
use mails::Mails;
use receipts::Receipts;
use sections::Part;

/// What is asked for in the address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Asked {
    search: String,
    after: Option<String>,
}

/// The people, the invitations, and the mails that do not leave.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        query.with(|query| Asked { search: query.get("q").unwrap_or_default(), after: query.get("after") })
    });
    let again = RwSignal::new(0_u32);
    let on_change = Callback::new(move |()| again.update(|count| *count += 1));
    let people =
        Resource::new_blocking(move || (asked.get(), again.get()), |(asked, _)| load_people(asked.search, asked.after));
    let invitations = InvitationState::new(on_change);
    view! {
        <PageTitle text="People" />
        <PageBar title="People" heading=false />
        <div class="page">
            <div class="column">
                <Transition>
                    {loaded(move || async move {
                        match people.await {
                            Ok(people) => {
                                let asked = asked.get_untracked();
                                view! { <Content people asked invitations /> }.into_any()
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

#[component]
fn Content(people: People, asked: Asked, invitations: InvitationState) -> impl IntoView {
    let People { page, policy, domains, invitations: open, new_link, mails, undelivered, receipts, fresh } = people;
    view! {
        <h1 class="mb-4 text-title font-semibold max-lg:sr-only">"People"</h1>
        <SearchForm search=asked.search.clone() />
        <PeopleList page asked />
        <Part id="sign-up" title="Sign-up" sentence=policy_words(policy, &domains)>
            <p class="text-label text-ink-soft">"The operator decides this in the configuration, with " <code>"sign_up"</code> "."</p>
        </Part>
        <Invitations open new_link mails fresh state=invitations />
        <Mails mails undelivered />
        <Receipts receipts />
    }
    .into_any()
}

fn policy_words(policy: SignUpPolicy, domains: &[String]) -> String {
    match policy {
        SignUpPolicy::First => "Nobody is here yet: the first account is the administrator's.".to_owned(),
        SignUpPolicy::Open => "Everybody who reaches the sign-up page can make an account.".to_owned(),
        SignUpPolicy::Domains => {
            let domains = domains.join(", ");
            format!(
                "Whoever has an address of {domains} can make an account, once they have confirmed it. Others need an invitation."
            )
        }
        SignUpPolicy::Closed => "Nobody can make an account without an invitation.".to_owned(),
    }
}

/// A plain form, so that it works without scripts.
#[component]
fn SearchForm(search: String) -> impl IntoView {
    view! {
        <form class="mb-4 flex gap-2" method="get" action="/people" role="search">
            <div class="relative min-w-0 flex-1">
                <span class="pointer-events-none absolute inset-y-0 start-3 grid place-items-center text-ink-faint">
                    <Icon glyph=Glyph::Search />
                </span>
                <input
                    class="input ps-10"
                    type="search"
                    name="q"
                    aria-label="Name or e-mail address"
                    placeholder="Name or e-mail address"
                    autocomplete="off"
                    maxlength=limits::SEARCH_CHARS
                    value=search
                />
            </div>
            <button class="btn btn-line min-h-11" type="submit">
                "Search"
            </button>
        </form>
    }
    .into_any()
}

#[component]
fn PeopleList(page: Page, asked: Asked) -> impl IntoView {
    let Asked { search, after } = asked;
    let query = if search.is_empty() { String::new() } else { format!("q={}&", Url::escape(&search)) };
    let first = format!("/people?{query}").trim_end_matches(['?', '&']).to_owned();
    let next = page.next.map(|cursor| format!("/people?{query}after={cursor}"));
    let nobody = page.people.is_empty();
    let rows = page.people.into_iter().map(|person| view! { <PersonRow person /> }).collect_view();
    view! {
        {if nobody {
            view! { <p class="py-6 text-ink-soft">"Nobody's name or address has that."</p> }.into_any()
        } else {
            view! { <ul class="divide-y divide-line border-y border-line">{rows}</ul> }.into_any()
        }}
        <p class="mt-4 flex flex-wrap gap-3 pb-8">
            {after
                .is_some()
                .then(|| {
                    view! {
                        <a class="btn btn-line" href=first>
                            "Back to the first page"
                        </a>
                    }
                })}
            {next
                .map(|href| {
                    view! {
                        <a class="btn btn-line" href=href>
                            "Show more people"
                        </a>
                    }
                })}
        </p>
    }
    .into_any()
}

#[component]
fn PersonRow(person: PersonSummary) -> impl IntoView {
    let clock = FrameState::expect().clock;
    let PersonSummary { id, name, email, role, standing, last_seen_at } = person;
    view! {
        <li>
            <a class="block min-h-11 py-3 no-underline" href=format!("/people/{id}")>
                <span class="flex flex-wrap items-center gap-x-2 font-medium">
                    <span class="min-w-0" dir="auto">
                        {name}
                    </span>
                    {(role == Role::Administrator).then(|| view! { <span class="chip">"Administrator"</span> })}
                </span>
                <span class="block text-label text-ink-soft">
                    {email} {standing.words().map(|words| format!(" · {words}"))}
                    {last_seen_at.map(|at| view! { " · last seen " <TimeAgo at clock /> })}
                </span>
            </a>
        </li>
    }
    .into_any()
}
