//! Chat lists, single chats, and actions on chats.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, Chat, ChatAction, ChatFilter, ChatId, ChatPage, MessageId};

endpoint!(ListChats, Person);

/// Returns one page of the caller's chats, newest first. `search` is matched literally against the titles.
#[server(prefix = "/api", endpoint = "list_chats", input = Json)]
pub async fn list_chats(filter: ChatFilter, search: String, cursor: Option<String>) -> Result<ChatPage, AppError> {
    let context = RequestContext::of::<ListChats>().await?;
    let listed = context.state.chats.list(context.user()?, filter, &search, cursor.as_deref()).await;
    context.to_app_error(listed)
}

endpoint!(FindChat, Person);

/// Returns a chat of the caller with its newest messages, or with the messages before `before`.
#[server(prefix = "/api", endpoint = "find_chat", input = Json)]
pub async fn find_chat(chat: ChatId, #[server(default)] before: Option<MessageId>) -> Result<Chat, AppError> {
    let context = RequestContext::of::<FindChat>().await?;
    context.to_app_error(context.state.chats.open(context.user()?, chat, before).await)
}

endpoint!(RenameChat, Person);

/// Renames a chat.
#[server(prefix = "/api", endpoint = "rename_chat")]
pub async fn rename_chat(chat: ChatId, title: String) -> Result<(), AppError> {
    let context = RequestContext::of::<RenameChat>().await?;
    context.to_app_error(context.state.chats.rename(context.user()?, chat, &title).await)
}

endpoint!(ChangeChats, Person);

/// Applies an action to several chats and returns how many were changed. Chats of other users are ignored like chats
/// that do not exist; `NotFound` if none is left. A plain form is redirected back, after a deletion with `?deleted=`
/// and the ids, so that the page can offer to undo it.
#[server(prefix = "/api", endpoint = "change_chats")]
pub async fn change_chats(#[server(default)] chats: Vec<ChatId>, action: ChatAction) -> Result<u32, AppError> {
    let context = RequestContext::of::<ChangeChats>().await?;
    let changed = context
        .to_app_error(context.state.chats.apply_action(context.user()?, &chats, action, context.meta()).await)?;
    if context.is_plain_form() {
        leptos_axum::redirect(&crate::domain::path_after_action(context.referer_path(), &chats, action));
    }
    Ok(changed)
}
