use leptos::{prelude::*, web_sys};

use super::{Glyph, Icon, Menu, chat_action_look, chat_action_name};
use crate::domain::{ChatAction, ChatId, limits};

/// Where the plain forms of a chat's menu are sent.
#[derive(Debug, Clone, Copy)]
pub struct ChatForms {
    /// Does one thing with the chat.
    pub change: &'static str,
    /// Gives it another title.
    pub rename: &'static str,
}

/// What can be done with one chat.
#[component]
pub fn ChatMenu(
    /// Which.
    chat: ChatId,
    /// Its title.
    #[prop(into)]
    title: Signal<String>,
    /// Whether it is kept at the top.
    #[prop(into)]
    pinned: Signal<bool>,
    /// Whether it is archived.
    #[prop(into)]
    archived: Signal<bool>,
    /// Where forms are sent without scripts.
    forms: ChatForms,
    /// Asks for an action.
    on_action: Callback<ChatAction>,
    /// Asks for another title.
    on_rename: Callback<String>,
) -> impl IntoView {
    let to = forms.change;
    let items = move || {
        let pin = if pinned.get() { ChatAction::Unpin } else { ChatAction::Pin };
        let archive = if archived.get() { ChatAction::Unarchive } else { ChatAction::Archive };
        view! {
            <Change chat action=pin to on_change=on_action />
            <Change chat action=archive to on_change=on_action />
        }
    };
    view! {
        <Menu label=t!("chat.menu.label", title = title.get_untracked())>
            <Rename chat title to=forms.rename on_rename />
            {items}
            <Change chat action=ChatAction::Delete to on_change=on_action />
        </Menu>
    }
    .into_any()
}

/// One action as a form, so that it works without scripts.
#[component]
fn Change(chat: ChatId, action: ChatAction, to: &'static str, on_change: Callback<ChatAction>) -> impl IntoView {
    let (glyph, words) = chat_action_look(action);
    let danger = action == ChatAction::Delete;
    view! {
        <form method="post" action=to on:submit=move |event| {
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
                {words}
            </button>
        </form>
    }
    .into_any()
}

#[component]
fn Rename(chat: ChatId, title: Signal<String>, to: &'static str, on_rename: Callback<String>) -> impl IntoView {
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
            <form class="flex gap-2 p-2" method="post" action=to on:submit=on_submit>
                <input type="hidden" name="chat" value=chat.to_string() />
                <input
                    class="input min-w-0"
                    name="title"
                    aria-label=t!("chat.menu.title")
                    maxlength=limits::TITLE_CHARS
                    required
                    dir="auto"
                    value=title.get_untracked()
                    node_ref=input
                />
                // Closes the menu like every choice.
                <button class="menu-item btn btn-primary w-auto flex-none" type="submit">
                    {t!("common.save")}
                </button>
            </form>
        </details>
    }
    .into_any()
}
