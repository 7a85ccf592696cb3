use leptos::prelude::*;

use crate::{
    components::TimeAgo,
    domain::{AuditEntry, Outcome},
    pages::shell::ReaderTime,
};

/// One entry.
#[component]
pub fn AuditRow(
    /// The entry.
    entry: AuditEntry,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
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
