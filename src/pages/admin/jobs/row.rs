use leptos::{form::ActionForm, prelude::*};

use crate::{
    components::{ReaderClock, iso},
    domain::{Job, JobAction, JobState, Timestamp},
    pages::shell::ReaderTime,
    server_fns::jobs::ChangeJob,
};

/// The id of the sentences that say what the buttons do.
pub const HINT: &str = "job-hint";

/// The colour of a state, as a class. It is also told in words.
pub const fn state_class(state: JobState, has_failed_before: bool) -> &'static str {
    match (state, has_failed_before) {
        (JobState::Failed, _) => "text-danger",
        (JobState::Running, _) => "text-good",
        (JobState::Waiting, true) => "text-warn",
        (JobState::Waiting, false) => "text-ink-soft",
    }
}

/// One job, and what can be done with it.
#[component]
pub fn JobRow(
    /// The job.
    job: Job,
    /// What is done with jobs.
    change: ServerAction<ChangeJob>,
) -> impl IntoView {
    let (again, give_up) = (job.can_be_tried_again(), job.can_be_given_up());
    let class = state_class(job.state, job.last_error.is_some());
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
                    {kind.label()} {is_schedule.then(|| view! { <span class="chip">{t!("admin.jobs.schedule")}</span> })}
                    <span class=class>{state.label()}</span>
                </p>
                {about
                    .map(|about| {
                        view! {
                            <p class="text-label break-words text-ink-soft">{t!("admin.jobs.about", address = about)}</p>
                        }
                    })}
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
    let clock = ReaderTime::expect().clock;
    let (state, at, has_failed_before) = (job.state, job.run_at, job.last_error.is_some());
    if state == JobState::Running {
        // Its time is the end of the lease, which says nothing to people.
        return t!("admin.jobs.runs_now").into_any();
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
        JobState::Failed => t!("admin.jobs.last_attempt", when = clock.relative(at)),
        _ if at <= clock.now => t!("admin.jobs.runs_now").to_owned(),
        _ if has_failed_before => t!("admin.jobs.next_attempt", when = clock.ahead(at)),
        _ => t!("admin.jobs.runs", when = clock.ahead(at)),
    }
}

/// How often it was tried, and how far it is.
fn facts(job: &Job) -> String {
    let attempts = (job.attempts != 0).then(|| t!("admin.jobs.attempts", count = job.attempts));
    let progress = (job.total > 0).then(|| t!("admin.jobs.progress", done = job.done, total = job.total));
    attempts.into_iter().chain(progress).map(|fact| format!(" · {fact}")).collect()
}

/// A form with one button.
#[component]
fn Change(job: Job, action: JobAction, change: ServerAction<ChangeJob>) -> impl IntoView {
    let Job { kind, subject, about, .. } = job;
    let which = about.map_or_else(|| kind.label().to_owned(), |about| format!("{}, {about}", kind.label()));
    let (value, words, name, class) = match action {
        JobAction::TryAgain => (
            "try_again",
            t!("admin.jobs.try_again"),
            t!("admin.jobs.try_again_which", job = which),
            "btn btn-line btn-small",
        ),
        JobAction::GiveUp => (
            "give_up",
            t!("admin.jobs.give_up"),
            t!("admin.jobs.give_up_which", job = which),
            "btn btn-line btn-small btn-danger",
        ),
    };
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
