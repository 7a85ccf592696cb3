use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::domain::{Message, MessageId};

/// What the person said.
#[component]
pub fn UserMessage(
    /// The message.
    message: Message,
    /// Asks to copy its text.
    on_copy: Callback<MessageId>,
) -> impl IntoView {
    let id = message.id;
    view! {
        <article class="message message-user" id=format!("m-{id}")>
            <h2 class="sr-only">"You"</h2>
            <div class="bubble" dir="auto">
                {message.text}
            </div>
            <div class="actions js-only">
                <CopyButton on_copy=Callback::new(move |()| on_copy.run(id)) />
            </div>
        </article>
    }
    .into_any()
}

/// Copies a message and says so for a moment.
#[component]
pub fn CopyButton(
    /// Asks to copy.
    on_copy: Callback<()>,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let on_click = move |_| {
        on_copy.run(());
        copied.set(true);
        set_timeout(
            move || {
                // The message may be gone by then.
                copied.try_set(false);
            },
            std::time::Duration::from_secs(2),
        );
    };
    view! {
        <button class="btn btn-quiet btn-small js-only" type="button" on:click=on_click>
            {move || view! { <Icon glyph=if copied.get() { Glyph::Check } else { Glyph::Copy } /> }}
            {move || if copied.get() { "Copied" } else { "Copy" }}
        </button>
    }
}
