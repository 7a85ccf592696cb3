//! `/jobs`

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::row::{HINT, JobRow, state_class};
use crate::{
    components::FormError,
    domain::{JobAction, JobState, Jobs, limits},
    pages::{
        shell::{Loaded, Page},
        toolkit::{RowsOrNone, StatusMessage, action_error, focus_error, form_action, form_error},
    },
    server_fns::jobs::{ChangeJob, list_jobs},
};

/// What the server does in the background.
#[component]
pub fn JobsPage() -> impl IntoView {
    let again = RwSignal::new(0_u32);
    let jobs = Resource::new_blocking(move || again.get(), |_| list_jobs());
    let change = form_action::<ChangeJob>();
    Effect::new(move || {
        // After an error too: a job that has changed in the meantime is shown as it is now.
        if change.value().with(Option::is_some) {
            again.update(|count| *count += 1);
        }
    });
    view! {
        <Page title="Jobs">
            <Loaded data=jobs view=move |jobs| view! { <Content jobs change /> }.into_any() />
        </Page>
    }
}

#[component]
fn Content(jobs: Jobs, change: ServerAction<ChangeJob>) -> impl IntoView {
    const FIELDS: &[&str] = &[];
    let error = action_error(change);
    focus_error(error, FIELDS, "job-error");
    let is_cut = jobs.is_cut();
    let counts = JobState::ALL
        .map(|state| {
            let count = jobs.count(state);
            let class = if count == 0 { "text-ink-soft" } else { state_class(state, false) };
            view! { <span class=class>{format!("{count} {}", state.as_str())}</span> }
        })
        .collect_view();
    let rows = jobs.jobs.into_iter().map(|job| view! { <JobRow job change /> }.into_any()).collect();
    view! {
        <h1 class="text-title font-semibold max-lg:sr-only">"Jobs"</h1>
        <p class="mt-1 mb-5 text-ink-soft">
            "Work that the server does in the background: mails, data downloads, deletions and regular cleaning. A restart loses none of it."
        </p>
        <div class="not-empty:mb-4">
            <FormError error=form_error(error, FIELDS) id="job-error" />
        </div>
        <div class="flex flex-wrap items-center gap-x-4 gap-y-2">
            <p class="flex flex-wrap gap-x-4">{counts}</p>
            // A whole new page, whose clock is the server's of now.
            <a class="btn btn-line" href="/jobs" rel="external">
                "Refresh"
            </a>
            <StatusMessage words=status(change) />
        </div>
        <p class="hint mb-5" id=HINT>
            "“Try again” runs a job now instead of later. “Give up” ends it for good: a mail is not sent, and whoever wanted a data download has to ask for it again. The text of a mail that was given up is not kept, because it may hold a sign-in link, so such a mail cannot be sent again."
        </p>
        <RowsOrNone rows none="No job waits or has failed." />
        <p class="hint pb-8">
            {is_cut.then(|| format!("Only the first {} are listed: those that failed come first.", limits::JOBS_SHOWN))}
        </p>
    }
    .into_any()
}

/// What is said once something was done, with and without scripts.
fn status(change: ServerAction<ChangeJob>) -> Signal<Option<&'static str>> {
    let query = use_query_map();
    Signal::derive(move || {
        let done = change.value().get().map(Result::ok);
        match (done, query.with(|query| query.get("done")).as_deref()) {
            (Some(Some(JobAction::TryAgain)), _) | (None, Some("again")) => {
                Some("The job will run again as soon as possible.")
            }
            (Some(Some(JobAction::GiveUp)), _) | (None, Some("given-up")) => Some("The job was given up."),
            _ => None,
        }
    })
}
