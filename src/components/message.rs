use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::domain::{Message, MessageId};

/// A message of the user.
#[component]
pub fn UserMessage(
    /// The message.
    message: Message,
    /// Copies the text; the result goes into the signal.
    on_copy: Callback<(MessageId, CopyStatus)>,
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

/// The result of a copy, shown for 2 s; otherwise `None`.
pub type CopyStatus = RwSignal<Option<bool>>;

/// Shows the result of a copy for 2 s.
pub fn show_copy_result(copied: CopyStatus, success: bool) {
    // The button may be disposed by now.
    copied.try_set(Some(success));
    let reset = move || {
        copied.try_set(None);
    };
    set_timeout(reset, std::time::Duration::from_secs(2));
}

/// The label of a copy button.
pub fn copy_label(copied: Option<bool>) -> &'static str {
    match copied {
        None => t!("chat.copy"),
        Some(true) => t!("chat.copied"),
        Some(false) => t!("chat.not_copied"),
    }
}

/// A button that copies a message and shows the result.
#[component]
pub fn CopyButton(
    /// Copies the text and reports the result with [`show_copy_result`].
    on_copy: Callback<CopyStatus>,
) -> impl IntoView {
    let copied = CopyStatus::new(None);
    view! {
        <button class="btn btn-quiet btn-small js-only" type="button" on:click=move |_| on_copy.run(copied)>
            {move || view! { <Icon glyph=if copied.get() == Some(true) { Glyph::Check } else { Glyph::Copy } /> }}
            {move || copy_label(copied.get())}
        </button>
    }
}
