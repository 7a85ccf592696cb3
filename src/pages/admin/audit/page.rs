//! `/audit`

use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

use super::{export::AuditExport, filter::Filter, row::AuditRow};
use crate::{
    domain::{AppError, AuditPage as Entries, AuditQuery},
    pages::{
        shell::{Loaded, Page},
        toolkit::{PageLinks, Pager, RowsOrNone},
    },
    server_fns::audit::load_audit,
};

/// What was done with all accounts.
#[component]
pub fn AuditPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        query.with(|query| {
            let get = |name: &str| query.get(name).unwrap_or_default();
            let asked = AuditQuery {
                action: get("action"),
                outcome: get("outcome"),
                person: get("person"),
                from: get("from"),
                to: get("to"),
            };
            (asked, query.get("after"))
        })
    });
    let page = Resource::new_blocking(move || asked.get(), |(asked, after)| load(asked, after));
    view! {
        <Page title=t!("admin.audit.title")>
            <Loaded
                data=page
                view=move |page| {
                    let (asked, after) = asked.get_untracked();
                    match page {
                        Ok(page) => view! { <Content page asked after /> }.into_any(),
                        Err(error) => view! { <Refused error asked /> }.into_any(),
                    }
                }
            />
        </Page>
    }
}

/// The page that fits, or what is wrong with what was asked for.
async fn load(asked: AuditQuery, after: Option<String>) -> Result<Result<Entries, AppError>, AppError> {
    match load_audit(asked, after).await {
        Err(error @ AppError::Invalid { .. }) => Ok(Err(error)),
        answer => answer.map(Ok),
    }
}

/// What was asked for is wrong: it can be asked anew.
#[component]
fn Refused(error: AppError, asked: AuditQuery) -> impl IntoView {
    view! {
        <Head />
        <p class="notice notice-danger mb-4" role="alert">
            {error.text()}
        </p>
        <Filter asked />
    }
    .into_any()
}

#[component]
fn Head() -> impl IntoView {
    view! {
        <h1 class="text-title font-semibold max-lg:sr-only">{t!("admin.audit.title")}</h1>
        <p class="mt-1 mb-5 text-ink-soft">
            {t!("admin.audit.intro")}
        </p>
    }
}

#[component]
fn Content(page: Entries, asked: AuditQuery, after: Option<String>) -> impl IntoView {
    let Entries { entries, next, days, fresh } = page;
    let query = in_address(&asked);
    let links = PageLinks::new("/audit", &query, next);
    let here = links.first.clone();
    let rows = entries.into_iter().map(|entry| view! { <AuditRow entry /> }.into_any()).collect();
    view! {
        <Head />
        <Filter asked=asked.clone() />
        <RowsOrNone rows none=t!("admin.audit.none") />
        <Pager
            links
            is_later=after.is_some()
            to_first=t!("admin.audit.to_newest")
            to_next=t!("admin.audit.show_older")
        />
        <AuditExport asked fresh here />
        <p class="hint pb-8">{t!("admin.audit.kept", count = days)}</p>
    }
    .into_any()
}

fn in_address(asked: &AuditQuery) -> String {
    let AuditQuery { action, outcome, person, from, to } = asked;
    let parts = [("action", action), ("outcome", outcome), ("person", person), ("from", from), ("to", to)];
    let given = parts.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}={}&", Url::escape(value))).collect()
}
