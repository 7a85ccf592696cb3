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
            {bubble(id, message.text)}
            <div class="actions js-only">
                <CopyButton on_copy=Callback::new(move |copied| on_copy.run((id, copied))) />
            </div>
        </article>
    }
    .into_any()
}

/// Messages with more lines are folded.
const MAX_LINES: usize = 12;
/// About as many characters as fit into these lines.
const MAX_CHARS: usize = MAX_LINES * 60;

/// Whether a message is so long that it is folded.
fn is_long(text: &str) -> bool {
    text.lines().nth(MAX_LINES).is_some() || text.chars().nth(MAX_CHARS).is_some()
}

/// The text. A check box folds a long one, so that it works without scripts.
fn bubble(id: MessageId, text: String) -> AnyView {
    if !is_long(&text) {
        return view! { <div class="bubble" dir="auto">{text}</div> }.into_any();
    }
    let fold = format!("f-{id}");
    view! {
        <div class="bubble">
            <input class="sr-only" type="checkbox" id=fold.clone() aria-label=t!("chat.message.show_all") />
            <div class="bubble-text" dir="auto">{text}</div>
            <label class="bubble-fold" for=fold aria-hidden="true">
                <span>{t!("chat.message.show_more")}</span>
                <span>{t!("chat.message.show_less")}</span>
            </label>
        </div>
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
        <button
            class="action js-only"
            type="button"
            aria-label=move || copy_label(copied.get())
            title=move || copy_label(copied.get())
            on:click=move |_| on_copy.run(copied)
        >
            {move || view! { <Icon glyph=if copied.get() == Some(true) { Glyph::Check } else { Glyph::Copy } /> }}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::is_long;

    #[test]
    fn messages_of_more_than_twelve_lines_are_long() {
        assert!(!is_long(&"line\n".repeat(12)));
        assert!(is_long(&"line\n".repeat(13)));
        assert!(!is_long(&"ä".repeat(720)));
        assert!(is_long(&"ä".repeat(721)));
    }
}
