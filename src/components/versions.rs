use leptos::{prelude::*, web_sys};

use super::{Glyph, Icon};
use crate::domain::{ChatId, MessageId, Versions};

/// How another version of a message is chosen.
#[derive(Clone, Copy)]
pub struct VersionChoice {
    /// The chat.
    pub chat: ChatId,
    /// The form URL, for use without scripts.
    pub action: &'static str,
    /// Whether no version can be chosen, because an answer is being written.
    pub disabled: Signal<bool>,
    /// Called with the shown version and the chosen one.
    pub on_choose: Callback<(MessageId, MessageId)>,
}

/// The number of the shown version of a message, between the buttons that show the versions before and after it.
/// Nothing if there is only one.
#[component]
pub fn VersionSwitch(
    /// The shown version.
    message: MessageId,
    /// Its place among the versions.
    versions: Option<Versions>,
    /// How another one is chosen.
    choice: VersionChoice,
) -> impl IntoView {
    versions.map(|versions| {
        let Versions { number, count, previous, next } = versions;
        view! {
            <form class="versions" method="post" action=choice.action>
                <input type="hidden" name="chat" value=choice.chat.to_string() />
                {version_button(message, previous, t!("chat.version.previous", number = number, total = count), choice)}
                <span>{number} " / " {count}</span>
                {version_button(message, next, t!("chat.version.next", number = number, total = count), choice)}
            </form>
        }
        .into_any()
    })
}

/// A button that shows `version` instead of `message`.
fn version_button(message: MessageId, version: Option<MessageId>, label: String, choice: VersionChoice) -> AnyView {
    let on_click = move |event: web_sys::MouseEvent| {
        event.prevent_default();
        if let Some(version) = version {
            choice.on_choose.run((message, version));
        }
    };
    view! {
        <button
            class="action action-narrow"
            type="submit"
            name="message"
            value=version.map(|version| version.to_string())
            aria-label=label.clone()
            title=label
            disabled=move || version.is_none() || choice.disabled.get()
            on:click=on_click
        >
            <Icon glyph=Glyph::ChevronDown />
        </button>
    }
    .into_any()
}
