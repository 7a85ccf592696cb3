use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use server_fn::ServerFn;

use crate::{
    components::{ChatForms, ChatMenu},
    domain::{Chat, ChatAction},
    pages::shell::ChatListState,
    server_fns::chats::{ChangeChats, RenameChat},
};

/// The menu of the open chat.
#[component]
pub fn OpenChatMenu(
    /// The chat.
    chat: Chat,
    /// The title of the chat.
    title: Signal<String>,
    /// Set to true to rename the chat in the place of its title.
    editing: RwSignal<bool>,
    /// The chat list, which runs the actions.
    chats: ChatListState,
) -> impl IntoView {
    let navigate = use_navigate();
    let id = chat.id;
    let (pinned, archived) = (RwSignal::new(chat.pinned), RwSignal::new(chat.archived));
    let on_action = Callback::new(move |action: ChatAction| {
        let navigate = navigate.clone();
        chats.change(vec![id], action, move || {
            match action {
                ChatAction::Pin | ChatAction::Unpin => pinned.try_set(action == ChatAction::Pin),
                ChatAction::Archive | ChatAction::Unarchive => archived.try_set(action == ChatAction::Archive),
                ChatAction::Delete | ChatAction::Restore => None,
            };
            // After deletion the page of the chat does not exist any more.
            if action == ChatAction::Delete {
                navigate("/", NavigateOptions::default());
            }
        });
    });
    let forms = ChatForms { change: ChangeChats::url(), rename: RenameChat::url() };
    let on_rename = Callback::new(move |title| chats.rename(id, title, || ()));
    view! { <ChatMenu chat=id title pinned archived forms editing on_action on_rename /> }
}
