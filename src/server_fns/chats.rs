//! Lists of chats, one chat, and what can be done with them.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, Chat, ChatAction, ChatFilter, ChatId, ChatPage, MessageId};

endpoint!(ListChats, Person);

/// One page of the caller's chats, newest first. `search` is looked for in the titles, literally.
#[server(prefix = "/api", endpoint = "list_chats", input = Json)]
pub async fn list_chats(filter: ChatFilter, search: String, cursor: Option<String>) -> Result<ChatPage, AppError> {
    let context = RequestContext::of::<ListChats>().await?;
    let listed = context.state.chats.list(context.user()?, filter, &search, cursor.as_deref()).await;
    context.to_app_error(listed)
}

endpoint!(FindChat, Person);

/// One chat of the caller's with its newest messages, or with those that lead to the message `before`.
#[server(prefix = "/api", endpoint = "find_chat", input = Json)]
pub async fn find_chat(chat: ChatId, #[server(default)] before: Option<MessageId>) -> Result<Chat, AppError> {
    let context = RequestContext::of::<FindChat>().await?;
    context.to_app_error(context.state.chats.open(context.user()?, chat, before).await)
}

endpoint!(RenameChat, Person);

/// Gives a chat another title.
#[server(prefix = "/api", endpoint = "rename_chat")]
pub async fn rename_chat(chat: ChatId, title: String) -> Result<(), AppError> {
    let context = RequestContext::of::<RenameChat>().await?;
    context.to_app_error(context.state.chats.rename(context.user()?, chat, &title).await)
}

endpoint!(ChangeChats, Person);

/// Does one thing with some chats; says how many it was done with. Chats of others are passed over like
/// chats that do not exist; if none is left the answer is `NotFound`. A plain form goes back to where it was sent
/// from, after a deletion with `?deleted=` and the ids, so that the page can offer to undo it.
#[server(prefix = "/api", endpoint = "change_chats")]
pub async fn change_chats(#[server(default)] chats: Vec<ChatId>, action: ChatAction) -> Result<u32, AppError> {
    let context = RequestContext::of::<ChangeChats>().await?;
    let changed =
        context.to_app_error(context.state.chats.change(context.user()?, &chats, action, context.meta()).await)?;
    if context.is_plain_form() {
        leptos_axum::redirect(&after_change(context.came_from(), &chats, action));
    }
    Ok(changed)
}

/// Where a plain form goes: back, or to the sessions page where the chat it stood on is gone. After a deletion
/// the address names what can be restored.
#[cfg(feature = "ssr")]
fn after_change(came_from: &str, chats: &[ChatId], action: ChatAction) -> String {
    let came_from = if came_from.starts_with("/sessions") { came_from } else { "/sessions" };
    let (path, query) = came_from.split_once('?').unwrap_or((came_from, ""));
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("deleted=") && !pair.starts_with("__"))
        .map(str::to_owned)
        .collect();
    if action == ChatAction::Delete {
        let ids: Vec<String> = chats.iter().map(ToString::to_string).collect();
        pairs.push(format!("deleted={}", ids.join(",")));
    }
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}
