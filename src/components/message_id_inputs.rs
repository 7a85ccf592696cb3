use leptos::prelude::*;

use crate::domain::{ChatId, MessageId};

/// Hidden inputs with the ids of a chat and a message.
#[component]
pub fn MessageIdInputs(
    /// The chat.
    chat: ChatId,
    /// The message.
    message: MessageId,
) -> impl IntoView {
    view! {
        <input type="hidden" name="chat" value=chat.to_string() />
        <input type="hidden" name="message" value=message.to_string() />
    }
}
