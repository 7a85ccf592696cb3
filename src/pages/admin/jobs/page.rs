//! `/jobs`

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::row::{HINT_ID, JobRow, state_class};
use crate::{
    components::FormError,
    domain::{JobAction, JobState, Jobs, limits},
    pages::{
        shell::{Loaded, Page, page_resource},
        toolkit::{RowListOrEmpty, StatusMessage, action_error, focus_error, form_action, form_error},
    },
    server_fns::jobs::{ChangeJob, list_jobs},
};

/// The background jobs of the server.
#[component]
pub fn JobsPage() -> impl IntoView {
    let reload_count = RwSignal::new(0_u32);
    let jobs = page_resource(move || reload_count.get(), |_| list_jobs());
    let change = form_action::<ChangeJob>();
    Effect::new(move || {
        // Also after an error, because the job may have changed in the meantime.
        if change.value().with(Option::is_some) {
            reload_count.update(|count| *count += 1);
        }
    });
    view! {
        <Page title=t!("admin.jobs.title")>
            <Loaded data=jobs view=move |jobs| view! { <Content jobs change /> }.into_any() />
        </Page>
    }
}

#[component]
fn Content(jobs: Jobs, change: ServerAction<ChangeJob>) -> impl IntoView {
    const FIELDS: &[&str] = &[];
    let error = action_error(change);
    focus_error(error, FIELDS, "job-error");
    let is_truncated = jobs.is_truncated();
    let counts = JobState::ALL
        .map(|state| {
            let count = jobs.count(state);
            let class = if count == 0 { "text-ink-soft" } else { state_class(state, false) };
            view! { <span class=class>{count_text(state, count)}</span> }
        })
        .collect_view();
    let rows = jobs.jobs.into_iter().map(|job| view! { <JobRow job change /> }.into_any()).collect();
    view! {
        <h1 class="text-title font-semibold max-lg:sr-only">{t!("admin.jobs.title")}</h1>
        <p class="mt-1 mb-5 text-ink-soft">
            {t!("admin.jobs.intro")}
        </p>
        <div class="not-empty:mb-4">
            <FormError error=form_error(error, FIELDS) id="job-error" />
        </div>
        <div class="flex flex-wrap items-center gap-x-4 gap-y-2">
            <p class="flex flex-wrap gap-x-4">{counts}</p>
            // A full page load, which also resets the clock to the server's.
            <a class="btn btn-line" href="/jobs" rel="external">
                {t!("admin.jobs.refresh")}
            </a>
            <StatusMessage text=status(change) />
        </div>
        <p class="hint mb-5" id=HINT_ID>
            {t!("admin.jobs.hint")}
        </p>
        <RowListOrEmpty rows empty_text=t!("admin.jobs.none") />
        <p class="hint pb-8">
            {is_truncated.then(|| t!("admin.jobs.cut", most = limits::MAX_LISTED_JOBS))}
        </p>
    }
    .into_any()
}

/// The number of jobs in a state, as text.
fn count_text(state: JobState, count: i64) -> String {
    match state {
        JobState::Waiting => t!("admin.jobs.waiting", count = count),
        JobState::Running => t!("admin.jobs.running", count = count),
        JobState::Failed => t!("admin.jobs.failed", count = count),
    }
}

/// The status message after an action, with and without scripts.
fn status(change: ServerAction<ChangeJob>) -> Signal<Option<&'static str>> {
    let query = use_query_map();
    Signal::derive(move || {
        let done = change.value().get().map(Result::ok);
        match (done, query.with(|query| query.get("done")).as_deref()) {
            (Some(Some(JobAction::Retry)), _) | (None, Some("again")) => Some(t!("admin.jobs.will_run")),
            (Some(Some(JobAction::GiveUp)), _) | (None, Some("given-up")) => Some(t!("admin.jobs.was_given_up")),
            _ => None,
        }
    })
}
