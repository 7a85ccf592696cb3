use leptos::{prelude::*, web_sys};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use server_fn::ServerFn;

use super::action_name;
use crate::{
    components::{Glyph, Icon, Menu},
    domain::{ChatAction, ChatId, limits},
    pages::frame::FrameState,
    server_fns::chats::{ChangeChats, RenameChat},
};

/// What can be done with one chat.
#[component]
pub fn ChatMenu(
    /// Which.
    chat: ChatId,
    /// Its title.
    #[prop(into)]
    title: Signal<String>,
    /// Whether it is kept at the top.
    pinned: bool,
    /// Whether it is put away.
    archived: bool,
    /// Told when something was done; without it, a chat that is gone leads to a new one.
    #[prop(optional)]
    on_done: Option<Callback<Done>>,
) -> impl IntoView {
    let frame = FrameState::expect();
    let navigate = use_navigate();
    let (pinned, archived) = (RwSignal::new(pinned), RwSignal::new(archived));
    let change = Callback::new(move |action: ChatAction| {
        let navigate = navigate.clone();
        frame.change_chats(vec![chat], action, move || {
            match action {
                ChatAction::Pin | ChatAction::Unpin => pinned.try_set(action == ChatAction::Pin),
                ChatAction::Archive | ChatAction::Unarchive => archived.try_set(action == ChatAction::Archive),
                ChatAction::Delete | ChatAction::Restore => None,
            };
            match on_done {
                Some(on_done) => on_done.run(Done::Changed(action)),
                None if action == ChatAction::Delete => navigate("/", NavigateOptions::default()),
                None => {}
            }
        });
    });
    let items = move || {
        let pin = if pinned.get() { ChatAction::Unpin } else { ChatAction::Pin };
        let archive = if archived.get() { ChatAction::Unarchive } else { ChatAction::Archive };
        view! {
            <Change chat action=pin on_change=change />
            <Change chat action=archive on_change=change />
        }
    };
    view! {
        <Menu label=format!("Actions for {}", title.get_untracked())>
            <Rename chat title on_done />
            {items}
            <Change chat action=ChatAction::Delete on_change=change />
        </Menu>
    }
    .into_any()
}

/// What was done with a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// An action.
    Changed(ChatAction),
    /// It has another title.
    Renamed(String),
}

/// One action as a form, so that it works without scripts.
#[component]
fn Change(chat: ChatId, action: ChatAction, on_change: Callback<ChatAction>) -> impl IntoView {
    let (glyph, words) = look(action);
    let danger = action == ChatAction::Delete;
    view! {
        <form method="post" action=ChangeChats::url() on:submit=move |event| {
            event.prevent_default();
            on_change.run(action);
        }>
            <input type="hidden" name="chats[]" value=chat.to_string() />
            <button class="menu-item" class:btn-danger=danger type="submit" name="action" value=action_name(action)>
                <Icon glyph />
                {words}
            </button>
        </form>
    }
    .into_any()
}

/// The icon and the words of an action.
pub fn look(action: ChatAction) -> (Glyph, &'static str) {
    match action {
        ChatAction::Pin => (Glyph::Pin, "Pin"),
        ChatAction::Unpin => (Glyph::Pin, "Unpin"),
        ChatAction::Archive => (Glyph::Archive, "Archive"),
        ChatAction::Unarchive => (Glyph::Archive, "Bring back"),
        ChatAction::Delete => (Glyph::Trash, "Delete chat"),
        ChatAction::Restore => (Glyph::Undo, "Undo"),
    }
}

#[component]
fn Rename(chat: ChatId, title: Signal<String>, on_done: Option<Callback<Done>>) -> impl IntoView {
    let frame = FrameState::expect();
    let input = NodeRef::<leptos::html::Input>::new();
    let details = NodeRef::<leptos::html::Details>::new();
    let on_submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(title) = input.get_untracked().map(|input| input.value()) else { return };
        if let Some(details) = details.get_untracked() {
            details.set_open(false);
        }
        frame.rename_chat(chat, title.clone(), move || {
            if let Some(on_done) = on_done {
                on_done.run(Done::Renamed(title));
            }
        });
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
                "Rename"
            </summary>
            <form class="flex gap-2 p-2" method="post" action=RenameChat::url() on:submit=on_submit>
                <input type="hidden" name="chat" value=chat.to_string() />
                <input
                    class="input min-w-0"
                    name="title"
                    aria-label="Title"
                    maxlength=limits::TITLE_CHARS
                    required
                    dir="auto"
                    value=title.get_untracked()
                    node_ref=input
                />
                // Closes the menu like every choice.
                <button class="menu-item btn btn-primary w-auto flex-none" type="submit">
                    "Save"
                </button>
            </form>
        </details>
    }
    .into_any()
}
