//! `/people`

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    invitations::{InvitationState, Invitations},
    list::PeopleList,
    mails::MailSection,
    query::PeopleQuery,
    receipts::Receipts,
    search::SearchForm,
};
use crate::{
    domain::{People, SignUpPolicy},
    pages::{
        shell::{Loaded, Page, page_resource},
        toolkit::Section,
    },
    server_fns::people::load_people,
};

/// People, invitations, and undelivered mails.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let address = use_query_map();
    let query = Memo::new(move |_| {
        address.with(|query| PeopleQuery { search: query.get("q").unwrap_or_default(), after: query.get("after") })
    });
    let reload_count = RwSignal::new(0_u32);
    let on_change = Callback::new(move |()| reload_count.update(|count| *count += 1));
    let people =
        page_resource(move || (query.get(), reload_count.get()), |(query, _)| load_people(query.search, query.after));
    let invitations = InvitationState::new(on_change);
    view! {
        <Page title=t!("admin.people.title")>
            <Loaded
                data=people
                view=move |people| view! { <Content people query=query.get_untracked() invitations /> }.into_any()
            />
        </Page>
    }
}

#[component]
fn Content(people: People, query: PeopleQuery, invitations: InvitationState) -> impl IntoView {
    let People {
        page,
        policy,
        domains,
        invitations: open,
        new_link,
        mails,
        undelivered,
        receipts,
        recently_authenticated,
    } = people;
    view! {
        <h1 class="mb-4 text-title font-semibold max-lg:sr-only">{t!("admin.people.title")}</h1>
        <SearchForm search=query.search.clone() />
        <PeopleList page query />
        <Section id="sign-up" title=t!("admin.sign_up.title") sentence=policy_text(policy, &domains)>
            <p class="text-label text-ink-soft">
                {rich!("admin.sign_up.configure", setting = |_| view! { <code>"sign_up"</code> })}
            </p>
        </Section>
        <Invitations open new_link mails recently_authenticated state=invitations />
        <MailSection mails undelivered />
        <Receipts receipts />
    }
    .into_any()
}

fn policy_text(policy: SignUpPolicy, domains: &[String]) -> String {
    match policy {
        SignUpPolicy::First => t!("admin.sign_up.first").to_owned(),
        SignUpPolicy::Open => t!("admin.sign_up.open").to_owned(),
        SignUpPolicy::Domains => t!("admin.sign_up.domains", domains = domains.join(", ")),
        SignUpPolicy::Closed => t!("admin.sign_up.closed").to_owned(),
    }
}
