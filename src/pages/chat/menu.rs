use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use server_fn::ServerFn;

use crate::{
    components::{ChatForms, ChatMenu},
    domain::{Chat, ChatAction},
    pages::shell::ChatList,
    server_fns::chats::{ChangeChats, RenameChat},
};

/// What can be done with the chat that is open.
#[component]
pub fn OpenChatMenu(
    /// The chat.
    chat: Chat,
    /// Its title.
    title: Signal<String>,
    /// The list around, in which it is done.
    chats: ChatList,
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
            // The page of a chat that is gone leads to a new one.
            if action == ChatAction::Delete {
                navigate("/", NavigateOptions::default());
            }
        });
    });
    let forms = ChatForms { change: ChangeChats::url(), rename: RenameChat::url() };
    let on_rename = Callback::new(move |title| chats.rename(id, title, || ()));
    view! { <ChatMenu chat=id title pinned archived forms on_action on_rename /> }
}
