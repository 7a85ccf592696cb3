//! Lists of chats, one chat, and what can be done with them.

use leptos::prelude::*;
use server_fn::codec::Json;

use crate::domain::{AppError, Chat, ChatAction, ChatFilter, ChatId, ChatPage};

/// One page of the caller's chats, newest first. `search` is looked for in the titles, literally.
#[server(prefix = "/api", endpoint = "list_chats", input = Json)]
pub async fn list_chats(filter: ChatFilter, search: String, cursor: Option<String>) -> Result<ChatPage, AppError> {
    todo!()
}

/// One chat of the caller's with its newest messages.
#[server(prefix = "/api", endpoint = "find_chat", input = Json)]
pub async fn find_chat(chat: ChatId) -> Result<Chat, AppError> {
    todo!()
}

/// Gives a chat another title.
#[server(prefix = "/api", endpoint = "rename_chat")]
pub async fn rename_chat(chat: ChatId, title: String) -> Result<(), AppError> {
    todo!()
}

/// Does one thing with some chats; says how many it was done with. Chats of others are passed over like
/// chats that do not exist; if none is left the answer is `NotFound`. A plain form goes back to where it was sent
/// from, after a deletion with `?deleted=` and the ids, so that the page can offer to undo it.
#[server(prefix = "/api", endpoint = "change_chats")]
pub async fn change_chats(#[server(default)] chats: Vec<ChatId>, action: ChatAction) -> Result<u32, AppError> {
    todo!()
}
