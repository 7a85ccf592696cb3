use leptos::prelude::*;

use crate::{
    components::TimeAgo,
    domain::{AuditEntry, Outcome},
    pages::shell::ReaderTime,
};

/// One audit event.
#[component]
pub fn AuditRow(
    /// The event.
    entry: AuditEntry,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let AuditEntry { activity, actor, subject } = entry;
    let sentence = activity.sentence();
    let refused = activity.outcome == Outcome::Refused;
    let who = match (actor.is_empty(), subject.is_empty(), actor == subject) {
        (false, false, false) => t!("admin.audit.actor_on_subject", actor = actor, subject = subject),
        (false, ..) => actor,
        (true, false, _) => t!("admin.audit.on_subject", subject = subject),
        (true, true, _) => t!("admin.audit.nobody_known").to_owned(),
    };
    let source =
        [activity.device, activity.network].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    view! {
        <li class="py-2.5">
            <p class="flex flex-wrap items-baseline gap-x-2">
                <span class="min-w-0 font-medium break-words" class:text-danger=refused>
                    {sentence}
                </span>
            </p>
            <p class="text-label break-words text-ink-soft">{who}</p>
            <p class="text-label text-ink-soft">
                <TimeAgo at=activity.at clock /> " · " {source}
            </p>
        </li>
    }
    .into_any()
}
