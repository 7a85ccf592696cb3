//! `/audit`

use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

use super::{export::AuditExport, filter::FilterForm, row::AuditRow};
use crate::{
    domain::{AppError, AuditPage as Entries, AuditQuery},
    pages::{
        shell::{Loaded, Page, ReaderTime, page_resource},
        toolkit::{DayList, PageLinks, Pager},
    },
    server_fns::audit::load_audit,
};

/// The audit log of all accounts.
#[component]
pub fn AuditPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| {
        query.with(|query| {
            let get = |name: &str| query.get(name).unwrap_or_default();
            let filter = AuditQuery {
                action: get("action"),
                outcome: get("outcome"),
                person: get("person"),
                from: get("from"),
                to: get("to"),
            };
            (filter, query.get("after"))
        })
    });
    let page = page_resource(move || filter.get(), |(filter, after)| load(filter, after));
    view! {
        <Page title=t!("admin.audit.title")>
            <Loaded
                data=page
                view=move |page| {
                    let (filter, after) = filter.get_untracked();
                    match page {
                        Ok(page) => view! { <Content page filter after /> }.into_any(),
                        Err(error) => view! { <InvalidFilter error filter /> }.into_any(),
                    }
                }
            />
        </Page>
    }
}

/// Loads one page of matching entries. The inner error is a validation error of the filter.
async fn load(filter: AuditQuery, after: Option<String>) -> Result<Result<Entries, AppError>, AppError> {
    match load_audit(filter, after).await {
        Err(error @ AppError::Invalid { .. }) => Ok(Err(error)),
        answer => answer.map(Ok),
    }
}

/// The error of an invalid filter, with the form to correct it.
#[component]
fn InvalidFilter(error: AppError, filter: AuditQuery) -> impl IntoView {
    view! {
        <PageHeading />
        <p class="notice notice-danger mb-4" role="alert">
            {error.text()}
        </p>
        <FilterForm filter />
    }
    .into_any()
}

#[component]
fn PageHeading() -> impl IntoView {
    view! {
        <h1 class="text-title font-semibold max-lg:sr-only">{t!("admin.audit.title")}</h1>
        <p class="mt-1 mb-5 text-ink-soft">
            {t!("admin.audit.intro")}
        </p>
    }
}

#[component]
fn Content(page: Entries, filter: AuditQuery, after: Option<String>) -> impl IntoView {
    let Entries { entries, next, days, recently_authenticated } = page;
    let query = query_string(&filter);
    let links = PageLinks::new("/audit", &query, next);
    let page_url = links.first.clone();
    let is_empty = entries.is_empty();
    let times = entries.iter().map(|entry| entry.activity.at).collect();
    let row = move |index| entries.get(index).cloned().map(|entry| view! { <AuditRow entry /> });
    view! {
        <PageHeading />
        <FilterForm filter=filter.clone() />
        <DayList
            times
            clock=ReaderTime::expect().clock
            heading=|day| view! { <h2 class="day-heading">{day}</h2> }.into_any()
            row=Callback::new(move |index| row(index).into_any())
        />
        {is_empty.then(|| view! { <p class="py-6 text-ink-soft">{t!("admin.audit.none")}</p> })}
        <Pager
            links
            is_later=after.is_some()
            first_label=t!("admin.audit.to_newest")
            next_label=t!("admin.audit.show_older")
        />
        <AuditExport filter recently_authenticated page_url />
        <p class="hint pb-8">{t!("admin.audit.kept", count = days)}</p>
    }
    .into_any()
}

fn query_string(filter: &AuditQuery) -> String {
    let AuditQuery { action, outcome, person, from, to } = filter;
    let parts = [("action", action), ("outcome", outcome), ("person", person), ("from", from), ("to", to)];
    let given = parts.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}={}&", Url::escape(value))).collect()
}
