//! `/people`

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    invitations::{InvitationState, Invitations},
    list::PeopleList,
    mails::Mails,
    query::PeopleQuery,
    receipts::Receipts,
    search::SearchForm,
};
use crate::{
    domain::{People, SignUpPolicy},
    pages::{
        shell::{Loaded, Page},
        toolkit::Section,
    },
    server_fns::people::load_people,
};

/// The people, the invitations, and the mails that do not leave.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let address = use_query_map();
    let query = Memo::new(move |_| {
        address.with(|query| PeopleQuery { search: query.get("q").unwrap_or_default(), after: query.get("after") })
    });
    let again = RwSignal::new(0_u32);
    let on_change = Callback::new(move |()| again.update(|count| *count += 1));
    let people =
        Resource::new_blocking(move || (query.get(), again.get()), |(query, _)| load_people(query.search, query.after));
    let invitations = InvitationState::new(on_change);
    view! {
        <Page title="People">
            <Loaded
                data=people
                view=move |people| view! { <Content people query=query.get_untracked() invitations /> }.into_any()
            />
        </Page>
    }
}

#[component]
fn Content(people: People, query: PeopleQuery, invitations: InvitationState) -> impl IntoView {
    let People { page, policy, domains, invitations: open, new_link, mails, undelivered, receipts, fresh } = people;
    view! {
        <h1 class="mb-4 text-title font-semibold max-lg:sr-only">"People"</h1>
        <SearchForm search=query.search.clone() />
        <PeopleList page query />
        <Section ruled=true id="sign-up" title="Sign-up" sentence=policy_words(policy, &domains)>
            <p class="text-label text-ink-soft">"The operator decides this in the configuration, with " <code>"sign_up"</code> "."</p>
        </Section>
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
