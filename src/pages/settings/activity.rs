use leptos::prelude::*;

use crate::{
    components::{ReaderClock, TimeText},
    domain::{ALL_ACTIVITY, Activity, ActivityPage, Outcome},
    pages::{
        shell::ReaderTime,
        toolkit::{DayList, Section},
    },
};

/// The audit events of the user's account.
#[component]
pub fn ActivitySection(
    /// One page of events, newest first.
    page: Signal<ActivityPage>,
    /// Where the page begins; `None` for the newest events.
    cursor: StoredValue<Option<String>>,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let days = move || {
        let activities = page.get().activities;
        let times = activities.iter().map(|activity| activity.at).collect();
        let row = move |index| activities.get(index).cloned().map(|activity| view! { <ActivityRow activity /> });
        view! {
            <DayList
                times
                clock
                heading=|day| view! { <h3 class="day-heading">{day}</h3> }.into_any()
                row=Callback::new(move |index| row(index).into_any())
            />
        }
    };
    view! {
        <Section
            id="activity"
            title=t!("settings.activity.title")
            sentence=t!("settings.activity.sentence")
        >
            {days}
            {move || {
                page.get().next.map(|next| {
                    let (start, label) = match cursor.with_value(Option::is_some) {
                        true => (next, t!("settings.activity.older")),
                        false => (ALL_ACTIVITY.to_owned(), t!("settings.activity.all")),
                    };
                    view! {
                        <p class="mt-4">
                            <a class="btn btn-line" href=format!("/settings/security?activity={start}#activity")>
                                {label}
                            </a>
                        </p>
                    }
                })
            }}
        </Section>
    }
    .into_any()
}

#[component]
fn ActivityRow(activity: Activity) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let refused = activity.outcome == Outcome::Refused;
    view! {
        <li class="flex flex-wrap items-baseline gap-x-4 py-2">
            <p class="min-w-0 flex-1 basis-60">
                <span class="break-words" class:text-danger=refused>
                    {activity.sentence()}
                </span>
                {activity.by_another
                    .then(|| view! { <span class="text-ink-soft">{t!("settings.activity.by_another")}</span> })}
            </p>
            <p class="text-label text-ink-soft">
                {activity.device} " · " {activity.network} " · "
                <TimeText at=activity.at clock format=ReaderClock::within_day />
            </p>
        </li>
    }
    .into_any()
}
