//! `/audit`, for administrators.

use leptos::prelude::*;
use leptos_router::{hooks::use_query_map, location::Url};

use super::{
    fault::Faulty,
    frame::{FrameState, PageBar, ToSignIn},
    loaded::loaded,
    settings::confirm_path,
};
use crate::{
    components::{PageTitle, TimeAgo},
    domain::{AppError, AuditAction, AuditEntry, AuditPage as Page, AuditQuery, Outcome},
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
    let page = Resource::new_blocking(move || asked.get(), |(asked, after)| load_audit(asked, after));
    view! {
        <PageTitle text="Audit" />
        <PageBar title="Audit" heading=false />
        <div class="page">
            <div class="column">
                <Transition>
                    {loaded(move || async move {
                        let (asked, after) = asked.get_untracked();
                        match page.await {
                            Ok(page) => view! { <Content page asked after /> }.into_any(),
                            Err(AppError::Unauthenticated) => view! { <ToSignIn /> }.into_any(),
                            // What was asked for is wrong: it can be asked anew.
                            Err(error @ AppError::Invalid { .. }) => {
                                view! {
                                    <Head />
                                    <p class="notice notice-danger mb-4" role="alert">
                                        {error.to_string()}
                                    </p>
                                    <Filter asked />
                                }
                                    .into_any()
                            }
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
fn Head() -> impl IntoView {
    view! {
        <h1 class="text-title font-semibold max-lg:sr-only">"Audit"</h1>
        <p class="mt-1 mb-5 text-ink-soft">
            "What was done with accounts, by whom and from where. Nothing of what people write is in it."
        </p>
    }
}

#[component]
fn Content(page: Page, asked: AuditQuery, after: Option<String>) -> impl IntoView {
    let Page { entries, next, days, fresh } = page;
    let query = in_address(&asked);
    let first = format!("/audit?{query}").trim_end_matches(['?', '&']).to_owned();
    let next = next.map(|cursor| format!("/audit?{query}after={cursor}"));
    let nothing = entries.is_empty();
    let rows = entries.into_iter().map(|entry| view! { <Row entry /> }).collect_view();
    view! {
        <Head />
        <Filter asked=asked.clone() />
        {if nothing {
            view! { <p class="py-6 text-ink-soft">"Nothing was written down that fits."</p> }.into_any()
        } else {
            view! { <ul class="divide-y divide-line border-y border-line">{rows}</ul> }.into_any()
        }}
        <p class="mt-4 flex flex-wrap gap-3">
            {after
                .is_some()
                .then(|| {
                    view! {
                        <a class="btn btn-line" href=first.clone()>
                            "Back to the newest"
                        </a>
                    }
                })}
            {next
                .map(|href| {
                    view! {
                        <a class="btn btn-line" href=href>
                            "Show older"
                        </a>
                    }
                })}
        </p>
        <Export asked fresh here=first />
        <p class="hint pb-8">{format!("It is kept for {days} days.")}</p>
    }
    .into_any()
}

fn in_address(asked: &AuditQuery) -> String {
    let AuditQuery { action, outcome, person, from, to } = asked;
    let parts = [("action", action), ("outcome", outcome), ("person", person), ("from", from), ("to", to)];
    let given = parts.into_iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| format!("{name}={}&", Url::escape(value))).collect()
}

/// A plain form, so that it works without scripts.
#[component]
fn Filter(asked: AuditQuery) -> impl IntoView {
    let AuditQuery { action, outcome, person, from, to } = asked;
    let actions = AuditAction::ALL
        .iter()
        .map(|known| {
            let name = known.name();
            view! {
                <option value=name.clone() selected=name == action>
                    {known.words()}
                </option>
            }
        })
        .collect_view();
    let outcomes = [("done", "Done"), ("refused", "Refused")]
        .map(|(name, words)| view! { <option value=name selected=name == outcome>{words}</option> })
        .collect_view();
    view! {
        <form class="audit-filter" method="get" action="/audit" role="search">
            <label>
                <span class="label">"What"</span>
                <select class="input" name="action">
                    <option value="">"Everything"</option>
                    {actions}
                </select>
            </label>
            <label>
                <span class="label">"Result"</span>
                <select class="input" name="outcome">
                    <option value="">"Any"</option>
                    {outcomes}
                </select>
            </label>
            <label>
                <span class="label">"Who (address or id)"</span>
                <input class="input" name="person" autocomplete="off" spellcheck="false" maxlength="320" value=person />
            </label>
            <label>
                <span class="label">"From (UTC)"</span>
                <input class="input" type="date" name="from" value=from />
            </label>
            <label>
                <span class="label">"To (UTC)"</span>
                <input class="input" type="date" name="to" value=to />
            </label>
            <button class="btn btn-line min-h-11" type="submit">
                "Search"
            </button>
        </form>
    }
    .into_any()
}

#[component]
fn Row(entry: AuditEntry) -> impl IntoView {
    let clock = FrameState::expect().clock;
    let AuditEntry { act, actor, subject } = entry;
    let refused = act.outcome == Outcome::Refused;
    let who = match (actor.is_empty(), subject.is_empty(), actor == subject) {
        (false, false, false) => format!("{actor}, on {subject}"),
        (false, ..) => actor,
        (true, false, _) => format!("on {subject}"),
        (true, true, _) => "Nobody known".to_owned(),
    };
    let whence = [act.device, act.place].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    view! {
        <li class="py-2.5">
            <p class="flex flex-wrap items-baseline gap-x-2">
                <span class="font-medium">{act.action.words()}</span>
                {refused.then(|| view! { <span class="text-danger">"(refused)"</span> })}
                <span class="min-w-0 break-words text-ink-soft">{act.detail}</span>
            </p>
            <p class="text-label break-words text-ink-soft">{who}</p>
            <p class="text-label text-ink-soft">
                <TimeAgo at=act.at clock /> " · " {whence}
            </p>
        </li>
    }
    .into_any()
}

/// What fits, as a file.
#[component]
fn Export(asked: AuditQuery, fresh: bool, here: String) -> impl IntoView {
    if !fresh {
        return view! {
            <p class="mt-6">
                <a class="btn btn-line" href=confirm_path(&here)>
                    "Confirm that it is you"
                </a>
                <span class="hint block">"To export what fits as JSON Lines. It holds for 10 minutes."</span>
            </p>
        }
        .into_any();
    }
    let AuditQuery { action, outcome, person, from, to } = asked;
    let fields = [("action", action), ("outcome", outcome), ("person", person), ("from", from), ("to", to)];
    let fields = fields.map(|(name, value)| view! { <input type="hidden" name=name value=value /> }).collect_view();
    view! {
        <form class="mt-6" method="post" action="/audit/export">
            {fields}
            <button class="btn btn-line" type="submit">
                "Export as JSON Lines"
            </button>
        </form>
    }
    .into_any()
}
