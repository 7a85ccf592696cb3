use leptos::{prelude::*, web_sys};

use super::{Glyph, Icon, Menu, chat_action_icon_and_label, chat_action_name};
use crate::domain::{ChatAction, ChatId, limits};

/// The form URLs of a chat's menu, for use without scripts.
#[derive(Debug, Clone, Copy)]
pub struct ChatForms {
    /// URL that applies an action to the chat.
    pub change: &'static str,
    /// URL that renames the chat.
    pub rename: &'static str,
}

/// The menu with the actions of one chat.
#[component]
pub fn ChatMenu(
    /// The chat.
    chat: ChatId,
    /// The title of the chat.
    #[prop(into)]
    title: Signal<String>,
    /// Whether it is pinned.
    #[prop(into)]
    pinned: Signal<bool>,
    /// Whether it is archived.
    #[prop(into)]
    archived: Signal<bool>,
    /// The form URLs, for use without scripts.
    forms: ChatForms,
    /// Whether the actions are only rendered while the menu is open. See [`Menu`].
    #[prop(default = false)]
    on_demand: bool,
    /// The classes that position the list of actions.
    #[prop(default = "right-0 top-full")]
    placement: &'static str,
    /// Set to true to rename the chat in its place on the page. Without it, the menu has a field.
    #[prop(optional, into)]
    editing: Option<RwSignal<bool>>,
    /// Called with the chosen action.
    on_action: Callback<ChatAction>,
    /// Called with the new title.
    on_rename: Callback<String>,
) -> impl IntoView {
    let url = forms.change;
    let items = move || {
        let pin = if pinned.get() { ChatAction::Unpin } else { ChatAction::Pin };
        let archive = if archived.get() { ChatAction::Unarchive } else { ChatAction::Archive };
        view! {
            <ChatActionForm chat action=pin url on_change=on_action />
            <ChatActionForm chat action=archive url on_change=on_action />
        }
    };
    view! {
        <Menu label=t!("chat.menu.label", title = title.get_untracked()) placement on_demand>
            {editing
                .map(|editing| {
                    view! {
                        <button class="menu-item js-only" type="button" on:click=move |_| editing.set(true)>
                            <Icon glyph=Glyph::Pencil />
                            {t!("chat.menu.rename")}
                        </button>
                    }
                })}
            // In place, scripts are needed.
            <div class:nojs-only=editing.is_some()>
                <RenameForm chat title url=forms.rename on_rename />
            </div>
            {items}
            <ChatActionForm chat action=ChatAction::Delete url on_change=on_action />
        </Menu>
    }
    .into_any()
}

/// One action as a form, so that it works without scripts.
#[component]
fn ChatActionForm(
    chat: ChatId,
    action: ChatAction,
    url: &'static str,
    on_change: Callback<ChatAction>,
) -> impl IntoView {
    let (glyph, label) = chat_action_icon_and_label(action);
    let danger = action == ChatAction::Delete;
    view! {
        <form method="post" action=url on:submit=move |event| {
            event.prevent_default();
            on_change.run(action);
        }>
            <input type="hidden" name="chats[]" value=chat.to_string() />
            <button
                class="menu-item"
                class:btn-danger=danger
                type="submit"
                name="action"
                value=chat_action_name(action)
            >
                <Icon glyph />
                {label}
            </button>
        </form>
    }
    .into_any()
}

#[component]
fn RenameForm(chat: ChatId, title: Signal<String>, url: &'static str, on_rename: Callback<String>) -> impl IntoView {
    let input = NodeRef::<leptos::html::Input>::new();
    let details = NodeRef::<leptos::html::Details>::new();
    let on_submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(title) = input.get_untracked().map(|input| input.value()) else { return };
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
        on_rename.run(title);
    };
    let on_toggle = move |_| {
        if let (Some(details), Some(input)) = (details.get_untracked(), input.get_untracked())
            && details.open()
        {
            input.set_value(&title.get_untracked());
            input.select();
        }
    };
    view! {
        <details node_ref=details on:toggle=on_toggle>
            <summary class="menu-item">
                <Icon glyph=Glyph::Pencil />
                {t!("chat.menu.rename")}
            </summary>
            <form class="flex gap-2 p-2" method="post" action=url on:submit=on_submit>
                <input type="hidden" name="chat" value=chat.to_string() />
                <input
                    class="input min-w-0"
                    name="title"
                    aria-label=t!("chat.menu.title")
                    maxlength=limits::MAX_TITLE_CHARS
                    required
                    dir="auto"
                    value=title.get_untracked()
                    node_ref=input
                />
                // The class `menu-item` closes the menu on click.
                <button class="menu-item btn btn-primary w-auto flex-none" type="submit">
                    {t!("common.save")}
                </button>
            </form>
        </details>
    }
    .into_any()
}
