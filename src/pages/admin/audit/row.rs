use leptos::prelude::*;

use crate::{
    components::{ReaderClock, TimeText},
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
        <li class="event" data-refused=refused.then_some("")>
            <p class="event-what">{sentence}</p>
            <p class="event-when">
                <TimeText at=activity.at clock format=ReaderClock::within_day />
            </p>
            <p class="event-who">{who}</p>
            <p class="event-where">{source}</p>
        </li>
    }
    .into_any()
}
