use leptos::{html::Textarea, prelude::*, web_sys};

use super::{Glyph, Icon, MessageIdInputs, browser};
use crate::domain::{ChatId, ClientId, MessageId};

/// How the user's messages are edited.
#[derive(Clone, Copy)]
pub struct MessageEditing {
    /// The chat.
    pub chat: ChatId,
    /// The form URL, for use without scripts.
    pub action: &'static str,
    /// The message id (idempotency key) that the form sends without scripts.
    pub client_id: ClientId,
    /// The URL of the page, to which the id of a message is appended to edit it without scripts.
    pub edit_url: StoredValue<String>,
    /// The message that is being edited.
    pub message: RwSignal<Option<MessageId>>,
    /// Called with the edited message, the id of the new one, and its text.
    pub on_save: Callback<(MessageId, ClientId, String)>,
}

/// A link that opens the field for a message.
#[component]
pub fn EditLink(
    /// The message.
    message: MessageId,
    /// How it is edited.
    editing: MessageEditing,
) -> impl IntoView {
    view! {
        <a
            class="action when-idle"
            href=format!("{}{message}#m-{message}", editing.edit_url.get_value())
            aria-label=t!("chat.message.edit")
            title=t!("chat.message.edit")
            on:click=move |event| {
                event.prevent_default();
                editing.message.set(Some(message));
            }
        >
            <Icon glyph=Glyph::Pencil />
        </a>
    }
    .into_any()
}

/// A field in the place of a message. Ctrl+Enter sends it, Escape closes it.
#[component]
pub fn MessageEditor(
    /// The message.
    message: MessageId,
    /// Its text.
    text: String,
    /// How it is edited.
    editing: MessageEditing,
) -> impl IntoView {
    let field = NodeRef::<Textarea>::new();
    // What is sent twice is stored once.
    let client_id = StoredValue::new(ClientId::random());
    let save = move || {
        let text = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        if !text.trim().is_empty() {
            editing.on_save.run((message, client_id.get_value().of_message(&text), text));
        }
    };
    let cancel = move || {
        editing.message.set(None);
        request_animation_frame(move || browser::focus_first(&format!("#m-{message} > .actions > a")));
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        match event.key().as_str() {
            _ if event.is_composing() => return,
            "Enter" if event.ctrl_key() || event.meta_key() => save(),
            "Escape" => cancel(),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    // Parsers drop the first line break in the field.
    let content = format!("\n{text}");
    let unparsed = content.clone();
    Effect::new(move || {
        if let Some(field) = field.get() {
            // Without a parser, the first line break stays. What was typed before the scripts ran stays too.
            if field.value() == unparsed {
                field.set_value(&unparsed[1..]);
            }
            // After the composer, which takes the focus when the page is loaded.
            request_animation_frame(move || browser::focus(&field));
        }
    });
    // Browsers without `field-sizing` show as many lines.
    let rows = text.lines().count().clamp(2, 12).to_string();
    view! {
        <form class="composer editor" method="post" action=editing.action on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <MessageIdInputs chat=editing.chat message />
            <input type="hidden" name="client_id" value=editing.client_id.to_string() />
            <textarea
                name="text"
                rows=rows
                required
                autofocus
                dir="auto"
                autocomplete="off"
                aria-label=t!("chat.message.edit_label")
                node_ref=field
                on:keydown=on_key
            >
                {content}
            </textarea>
            {editor_foot(message, editing.chat, cancel)}
        </form>
    }
    .into_any()
}

/// The buttons below the field.
fn editor_foot(message: MessageId, chat: ChatId, cancel: impl Fn() + 'static) -> AnyView {
    let on_cancel = move |event: web_sys::MouseEvent| {
        event.prevent_default();
        cancel();
    };
    view! {
        <div class="composer-foot">
            <a class="btn btn-quiet btn-small" href=format!("/chats/{chat}#m-{message}") on:click=on_cancel>
                {t!("common.cancel")}
            </a>
            <button class="btn btn-primary btn-small" type="submit">
                {t!("chat.composer.send")}
            </button>
        </div>
    }
    .into_any()
}
