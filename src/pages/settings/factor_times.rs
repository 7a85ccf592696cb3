use leptos::prelude::*;

use crate::{components::TimeAgo, domain::Timestamp, pages::shell::ReaderTime};

/// When a second factor was added and last used.
#[component]
pub fn FactorTimes(
    /// When it was added.
    created_at: Timestamp,
    /// When it was last used; `None` if never.
    last_used_at: Option<Timestamp>,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let text = match last_used_at {
        None => rich!("settings.factor.added", added = |_| view! { <TimeAgo at=created_at clock /> }),
        Some(at) => rich!(
            "settings.factor.added_and_used",
            added = |_| view! { <TimeAgo at=created_at clock /> },
            used = |_| view! { <TimeAgo at clock /> },
        ),
    };
    view! { <p class="text-label text-ink-soft">{text}</p> }.into_any()
}
