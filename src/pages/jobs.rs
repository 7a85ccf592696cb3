//! `/jobs`, for administrators.

use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_query_map;

use super::{
    fault::Faulty,
    forms::{focus_error, form_action, form_error},
    frame::{FrameState, PageBar, ToSignIn},
    loaded::loaded,
    people::Told,
};
use crate::{
    components::{FormError, PageTitle, ReaderClock, iso},
    domain::{AppError, Job, JobAction, JobState, Jobs, Timestamp, limits},
    server_fns::jobs::{ChangeJob, list_jobs},
};

/// The id of the sentences that say what the buttons do.
const HINT: &str = "job-hint";

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
        <PageTitle text="Jobs" />
        <PageBar title="Jobs" heading=false />
        <div class="page">
            <div class="column">
                <Transition>
                    {loaded(move || async move {
                        match jobs.await {
                            Ok(jobs) => view! { <Content jobs change /> }.into_any(),
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
fn Content(jobs: Jobs, change: ServerAction<ChangeJob>) -> impl IntoView {
    const FIELDS: &[&str] = &[];
    let error = Signal::derive(move || change.value().get().and_then(Result::err));
    focus_error(error, FIELDS, "job-error");
    let is_cut = jobs.is_cut();
    let counts = JobState::ALL
        .map(|state| {
            let count = jobs.count(state);
            let class = if count == 0 { "text-ink-soft" } else { colour(state, false) };
            view! { <span class=class>{format!("{count} {}", state.as_str())}</span> }
        })
        .collect_view();
    let nothing = jobs.jobs.is_empty();
    let rows = jobs.jobs.into_iter().map(|job| view! { <Row job change /> }).collect_view();
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
            <Told words=told(change) />
        </div>
        <p class="hint mb-5" id=HINT>
            "“Try again” runs a job now instead of later. “Give up” ends it for good: a mail is not sent, and whoever wanted a data download has to ask for it again. The text of a mail that was given up is not kept, because it may hold a sign-in link, so such a mail cannot be sent again."
        </p>
        {if nothing {
            view! { <p class="py-6 text-ink-soft">"No job waits or has failed."</p> }.into_any()
        } else {
            view! { <ul class="divide-y divide-line border-y border-line">{rows}</ul> }.into_any()
        }}
        <p class="hint pb-8">
            {is_cut.then(|| format!("Only the first {} are listed: those that failed come first.", limits::JOBS_SHOWN))}
        </p>
    }
    .into_any()
}

/// What is said once something was done, with and without scripts.
fn told(change: ServerAction<ChangeJob>) -> Signal<Option<&'static str>> {
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

/// The colour of a state, which is also told in words.
const fn colour(state: JobState, has_failed_before: bool) -> &'static str {
    match (state, has_failed_before) {
        (JobState::Failed, _) => "text-danger",
        (JobState::Running, _) => "text-good",
        (JobState::Waiting, true) => "text-warn",
        (JobState::Waiting, false) => "text-ink-soft",
    }
}

#[component]
fn Row(job: Job, change: ServerAction<ChangeJob>) -> impl IntoView {
    let (again, give_up) = (job.can_be_tried_again(), job.can_be_given_up());
    let class = colour(job.state, job.last_error.is_some());
    let is_schedule = job.subject.is_nil();
    let (moment, facts) = (moment(&job), facts(&job));
    let actions = [(again, JobAction::TryAgain), (give_up, JobAction::GiveUp)]
        .into_iter()
        .filter(|(is_possible, _)| *is_possible)
        .map(|(_, action)| view! { <Change job=job.clone() action change /> })
        .collect_view();
    let Job { kind, about, state, last_error, .. } = job;
    view! {
        <li class="flex flex-wrap items-start gap-x-4 gap-y-2 py-3">
            <div class="min-w-0 flex-1 basis-64">
                <p class="flex flex-wrap items-baseline gap-x-2 font-medium">
                    {kind.label()} {is_schedule.then(|| view! { <span class="chip">"Schedule"</span> })}
                    <span class=class>{state.label()}</span>
                </p>
                {about.map(|about| view! { <p class="text-label break-words text-ink-soft">"For " {about}</p> })}
                <p class="text-label text-ink-soft">{moment} {facts}</p>
                {last_error.map(|error| view! { <p class="text-label break-words text-ink-soft">{error}</p> })}
            </div>
            <div class="flex flex-wrap gap-2">{actions}</div>
        </li>
    }
    .into_any()
}

/// When it runs next, or failed.
fn moment(job: &Job) -> AnyView {
    let clock = FrameState::expect().clock;
    let (state, at, has_failed_before) = (job.state, job.run_at, job.last_error.is_some());
    if state == JobState::Running {
        // Its time is the end of the lease, which says nothing to people.
        return "Runs now".into_any();
    }
    view! {
        <time datetime=iso(at) title=move || clock.get().exact(at)>
            {move || clock.with(|clock| moment_words(clock, state, at, has_failed_before))}
        </time>
    }
    .into_any()
}

fn moment_words(clock: &ReaderClock, state: JobState, at: Timestamp, has_failed_before: bool) -> String {
    match state {
        JobState::Failed => format!("Last attempt: {}", clock.relative(at)),
        _ if at <= clock.now => "Runs now".to_owned(),
        _ if has_failed_before => format!("Next attempt {}", clock.ahead(at)),
        _ => format!("Runs {}", clock.ahead(at)),
    }
}

/// How often it was tried, and how far it is.
fn facts(job: &Job) -> String {
    let attempts = match job.attempts {
        0 => None,
        1 => Some("1 attempt".to_owned()),
        count => Some(format!("{count} attempts")),
    };
    let progress = (job.total > 0).then(|| format!("{} of {} done", job.done, job.total));
    attempts.into_iter().chain(progress).map(|fact| format!(" · {fact}")).collect()
}

/// A form with one button.
#[component]
fn Change(job: Job, action: JobAction, change: ServerAction<ChangeJob>) -> impl IntoView {
    let (value, words, class) = match action {
        JobAction::TryAgain => ("try_again", "Try again", "btn btn-line btn-small"),
        JobAction::GiveUp => ("give_up", "Give up", "btn btn-line btn-small btn-danger"),
    };
    let Job { kind, subject, about, .. } = job;
    let about = about.map(|about| format!(", {about}")).unwrap_or_default();
    let name = format!("{words}: {}{about}", kind.label());
    view! {
        <ActionForm action=change>
            <input type="hidden" name="kind" value=kind.as_str() />
            <input type="hidden" name="subject" value=subject.to_string() />
            <input type="hidden" name="action" value=value />
            <button
                class=class
                type="submit"
                aria-label=name
                aria-describedby=(action == JobAction::GiveUp).then_some(HINT)
            >
                {words}
            </button>
        </ActionForm>
    }
    .into_any()
}
