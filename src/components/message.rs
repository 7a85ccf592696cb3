use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::domain::{Message, MessageId};

/// What the person said.
#[component]
pub fn UserMessage(
    /// The message.
    message: Message,
    /// Asks to copy its text.
    on_copy: Callback<(MessageId, Copied)>,
) -> impl IntoView {
    let id = message.id;
    view! {
        <article class="message message-user" id=format!("m-{id}")>
            <h2 class="sr-only">{t!("chat.message.you")}</h2>
            <div class="bubble" dir="auto">
                {message.text}
            </div>
            <div class="actions js-only">
                <CopyButton on_copy=Callback::new(move |copied| on_copy.run((id, copied))) />
            </div>
        </article>
    }
    .into_any()
}

/// What came of copying, for a moment: `None` before and after it.
pub type Copied = RwSignal<Option<bool>>;

/// Says for a moment what came of copying.
pub fn tell_copied(copied: Copied, done: bool) {
    // The button may be gone by then.
    copied.try_set(Some(done));
    let over = move || {
        copied.try_set(None);
    };
    set_timeout(over, std::time::Duration::from_secs(2));
}

/// The word on a button that copies.
pub fn copy_word(copied: Option<bool>) -> &'static str {
    match copied {
        None => t!("chat.copy"),
        Some(true) => t!("chat.copied"),
        Some(false) => t!("chat.not_copied"),
    }
}

/// Copies a message and says what came of it.
#[component]
pub fn CopyButton(
    /// Asks to copy, and to tell what came of it by [`tell_copied`].
    on_copy: Callback<Copied>,
) -> impl IntoView {
    let copied = Copied::new(None);
    view! {
        <button class="btn btn-quiet btn-small js-only" type="button" on:click=move |_| on_copy.run(copied)>
            {move || view! { <Icon glyph=if copied.get() == Some(true) { Glyph::Check } else { Glyph::Copy } /> }}
            {move || copy_word(copied.get())}
        </button>
    }
}
