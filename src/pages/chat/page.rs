//! `/chats/{id}`

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    data::{ChatData, load},
    deleted::DeletedChat,
    view::ChatView,
};
use crate::{
    domain::{ChatId, MessageId},
    pages::shell::{ChatListState, Loaded, page_resource},
};

/// A chat of the user.
#[component]
pub fn ChatPage() -> impl IntoView {
    let chats = ChatListState::expect();
    let params = use_params_map();
    let query = use_query_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id")?.parse::<ChatId>().ok()));
    let before = Memo::new(move |_| query.with(|query| query.get("before")?.parse::<MessageId>().ok()));
    let data = page_resource(
        move || (id.get(), before.get()),
        move |(id, before)| {
            let new_chat = chats.take_new_chat(id);
            load(id, before, new_chat)
        },
    );
    view! {
        <Loaded
            data
            view=move |found| match found {
                Some(ChatData { chat, older }) => view! { <ChatView chat older /> }.into_any(),
                None => {
                    view! { <DeletedChat id=id.get_untracked() on_restored=move || data.refetch() /> }.into_any()
                }
            }
        />
    }
}
