use leptos::prelude::*;

use crate::{components::Draft, domain::ChatSummary};

/// The number of chats from which on a person needs no ideas.
const ENOUGH_CHATS: usize = 3;

/// Beginnings of messages for people who are new here. They are put into the field and not sent.
#[component]
pub fn Starters(
    /// The person's chats.
    chats: RwSignal<Vec<ChatSummary>>,
    /// The draft of the new chat.
    draft: Draft,
) -> impl IntoView {
    let starter = move |(label, text): (&'static str, &'static str)| {
        // The cursor is behind a space, ready to write on.
        let on_click = move |_| draft.begin(&[text, " "].concat());
        view! {
            <button class="starter" type="button" on:click=on_click>
                {label}
            </button>
        }
    };
    let starters = move || {
        [
            (t!("chat.starter.email"), t!("chat.starter.email_text")),
            (t!("chat.starter.explain"), t!("chat.starter.explain_text")),
            (t!("chat.starter.shorten"), t!("chat.starter.shorten_text")),
            (t!("chat.starter.plan"), t!("chat.starter.plan_text")),
        ]
        .map(starter)
        .into_iter()
        .collect_view()
    };
    view! {
        <Show when=move || chats.with(|chats| chats.len() < ENOUGH_CHATS)>
            <div class="starters js-only" role="group" aria-label=t!("chat.starter.label")>
                {starters()}
            </div>
        </Show>
    }
    .into_any()
}
