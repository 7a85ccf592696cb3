use leptos::{form::ActionForm, prelude::*};

use crate::{
    components::{ReaderClock, TimeFormat, TimeText},
    domain::{Job, JobAction, JobState, Timestamp},
    pages::shell::ReaderTime,
    server_fns::jobs::ChangeJob,
};

/// The id of the hint that explains the buttons.
pub const HINT_ID: &str = "job-hint";

/// The colour class of a state. The state is also shown as text.
pub const fn state_class(state: JobState, has_failed_before: bool) -> &'static str {
    match (state, has_failed_before) {
        (JobState::Failed, _) => "text-danger",
        (JobState::Running, _) => "text-good",
        (JobState::Waiting, true) => "text-warn",
        (JobState::Waiting, false) => "text-ink-soft",
    }
}

/// One job with its actions.
#[component]
pub fn JobRow(
    /// The job.
    job: Job,
    /// The action that changes jobs.
    change: ServerAction<ChangeJob>,
) -> impl IntoView {
    let (can_retry, can_give_up) = (job.can_be_retried(), job.can_be_given_up());
    let class = state_class(job.state, job.last_error.is_some());
    let is_schedule = job.subject.is_nil();
    let (run_time, progress_text) = (run_time(&job), progress_text(&job));
    let actions = [(can_retry, JobAction::Retry), (can_give_up, JobAction::GiveUp)]
        .into_iter()
        .filter(|(is_possible, _)| *is_possible)
        .map(|(_, action)| view! { <JobActionForm job=job.clone() action change /> })
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
                <p class="text-label text-ink-soft">{run_time} {progress_text}</p>
                {last_error.map(|error| view! { <p class="text-label break-words text-ink-soft">{error}</p> })}
            </div>
            <div class="flex flex-wrap gap-2">{actions}</div>
        </li>
    }
    .into_any()
}

/// The time of the next run, or of the failure.
fn run_time(job: &Job) -> AnyView {
    let format: TimeFormat = match (job.state, job.last_error.is_some()) {
        // `run_at` of a running job is the end of its lease, which is of no use to administrators.
        (JobState::Running, _) => return t!("admin.jobs.runs_now").into_any(),
        (JobState::Failed, _) => |clock, at| t!("admin.jobs.last_attempt", when = clock.relative(at)),
        (JobState::Waiting, true) => {
            |clock, at| now_or(clock, at, || t!("admin.jobs.next_attempt", when = clock.relative_future(at)))
        }
        (JobState::Waiting, false) => {
            |clock, at| now_or(clock, at, || t!("admin.jobs.runs", when = clock.relative_future(at)))
        }
    };
    view! { <TimeText at=job.run_at clock=ReaderTime::expect().clock format /> }.into_any()
}

fn now_or(clock: &ReaderClock, at: Timestamp, later: impl FnOnce() -> String) -> String {
    if at <= clock.now { t!("admin.jobs.runs_now").to_owned() } else { later() }
}

/// The number of attempts and the progress.
fn progress_text(job: &Job) -> String {
    let attempts = (job.attempts != 0).then(|| t!("admin.jobs.attempts", count = job.attempts));
    let progress = (job.total > 0).then(|| t!("admin.jobs.progress", done = job.done, total = job.total));
    attempts.into_iter().chain(progress).map(|fact| format!(" · {fact}")).collect()
}

/// A form with one button that applies an action to a job.
#[component]
fn JobActionForm(job: Job, action: JobAction, change: ServerAction<ChangeJob>) -> impl IntoView {
    let Job { kind, subject, about, .. } = job;
    let job_name = about.map_or_else(|| kind.label().to_owned(), |about| format!("{}, {about}", kind.label()));
    let (value, label, name, class) = match action {
        JobAction::Retry => (
            "try_again",
            t!("admin.jobs.try_again"),
            t!("admin.jobs.try_again_which", job = job_name),
            "btn btn-line btn-small",
        ),
        JobAction::GiveUp => (
            "give_up",
            t!("admin.jobs.give_up"),
            t!("admin.jobs.give_up_which", job = job_name),
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
                aria-describedby=(action == JobAction::GiveUp).then_some(HINT_ID)
            >
                {label}
            </button>
        </ActionForm>
    }
    .into_any()
}
