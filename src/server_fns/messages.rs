//! Sending and editing messages; stopping, retrying and continuing answers; choosing versions; reading messages.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, ChatId, ClientId, MessageId, MessageWindow, StartedRun};

endpoint!(SendMessage, Person);

/// Sends a message to a chat, or to a new one if `chat` is empty, and starts the answer. Idempotent: sending the same
/// `client_id` again changes nothing and returns the same result. A plain form is redirected to the chat; its
/// `client_id` identifies a draft, because the user can go back and send the form again with another text.
#[server(prefix = "/api", endpoint = "send_message")]
pub async fn send_message(
    #[server(default)] chat: Option<ChatId>,
    client_id: ClientId,
    text: String,
    #[server(default)] model: Option<String>,
) -> Result<StartedRun, AppError> {
    let context = RequestContext::of::<SendMessage>().await?;
    let client_id = if context.is_plain_form() { client_id.of_message(&text) } else { client_id };
    let outgoing = crate::server::chat::OutgoingMessage { chat, edited: None, client_id, text, model };
    let sent = context.to_app_error(context.state.chats.send(context.user()?, outgoing).await)?;
    redirect_to_chat(&context, &sent);
    Ok(sent)
}

endpoint!(EditMessage, Person);

/// Sends another version of a message of the user, and starts its answer. The old version stays in the message tree,
/// with what follows it. Idempotent like [`send_message`]; a plain form is redirected likewise.
#[server(prefix = "/api", endpoint = "edit_message")]
pub async fn edit_message(
    chat: ChatId,
    message: MessageId,
    client_id: ClientId,
    text: String,
    #[server(default)] model: Option<String>,
) -> Result<StartedRun, AppError> {
    let context = RequestContext::of::<EditMessage>().await?;
    // The other forms of the page have the same id.
    let is_plain = context.is_plain_form();
    let client_id = if is_plain { client_id.of_message(&format!("{message}\n{text}")) } else { client_id };
    let (chat, edited) = (Some(chat), Some(message));
    let outgoing = crate::server::chat::OutgoingMessage { chat, edited, client_id, text, model };
    let sent = context.to_app_error(context.state.chats.send(context.user()?, outgoing).await)?;
    redirect_to_chat(&context, &sent);
    Ok(sent)
}

endpoint!(StopAnswer, Person);

/// Stops the generation of an answer. Does nothing if it has ended already.
#[server(prefix = "/api", endpoint = "stop_answer")]
pub async fn stop_answer(chat: ChatId, message: MessageId) -> Result<(), AppError> {
    let context = RequestContext::of::<StopAnswer>().await?;
    context.to_app_error(context.state.chats.stop(context.user()?, chat, message).await)
}

endpoint!(RetryAnswer, Person);

/// Generates an answer again, with `model` if it is set. The old answer stays in the message tree, with what follows it.
#[server(prefix = "/api", endpoint = "retry_answer")]
pub async fn retry_answer(
    chat: ChatId,
    message: MessageId,
    #[server(default)] model: Option<String>,
) -> Result<StartedRun, AppError> {
    let context = RequestContext::of::<RetryAnswer>().await?;
    let sent = context.to_app_error(context.state.chats.retry(context.user()?, chat, message, model).await)?;
    redirect_to_chat(&context, &sent);
    Ok(sent)
}

endpoint!(ContinueAnswer, Person);

/// Continues the last answer after it was stopped, was interrupted or failed.
#[server(prefix = "/api", endpoint = "continue_answer")]
pub async fn continue_answer(chat: ChatId, message: MessageId) -> Result<StartedRun, AppError> {
    let context = RequestContext::of::<ContinueAnswer>().await?;
    let sent = context.to_app_error(context.state.chats.continue_answer(context.user()?, chat, message).await)?;
    redirect_to_chat(&context, &sent);
    Ok(sent)
}

endpoint!(ChooseVersion, Person);

/// Shows another version of a message, and returns the newest messages of the path that is shown now, with the chosen
/// version among them unless very much follows it. A plain form is redirected to the chosen version.
#[server(prefix = "/api", endpoint = "choose_version")]
pub async fn choose_version(chat: ChatId, message: MessageId) -> Result<MessageWindow, AppError> {
    let context = RequestContext::of::<ChooseVersion>().await?;
    let chosen = context.state.chats.choose_version(context.user()?, chat, message).await;
    let window = context.to_app_error(chosen)?;
    context.redirect_plain_form(&crate::domain::version_path(chat, message, &window));
    Ok(window)
}

endpoint!(CopyBranch, Person);

/// Starts a chat with a copy of a message and all that leads to it. A plain form is redirected to it.
#[server(prefix = "/api", endpoint = "copy_branch")]
pub async fn copy_branch(chat: ChatId, message: MessageId) -> Result<ChatId, AppError> {
    let context = RequestContext::of::<CopyBranch>().await?;
    let copied = context.to_app_error(context.state.chats.copy_branch(context.user()?, chat, message).await)?;
    context.redirect_plain_form(&format!("/chats/{copied}"));
    Ok(copied)
}

endpoint!(DeleteBranch, Person);

/// Permanently deletes a message and all that follows it. Returns whether the chat remains. A plain form is redirected to
/// the chat, or to the list that offers to restore it.
#[server(prefix = "/api", endpoint = "delete_branch")]
pub async fn delete_branch(chat: ChatId, message: MessageId) -> Result<bool, AppError> {
    let context = RequestContext::of::<DeleteBranch>().await?;
    let deleted = context.state.chats.delete_branch(context.user()?, chat, message, context.meta()).await;
    let remains = context.to_app_error(deleted)?;
    let path = match remains {
        true => format!("/chats/{chat}"),
        false => crate::domain::path_after_action("", &[chat], crate::domain::ChatAction::Delete),
    };
    context.redirect_plain_form(&path);
    Ok(remains)
}

endpoint!(OlderMessages, Person);

/// Returns a window of the messages before the message `before`.
#[server(prefix = "/api", endpoint = "older_messages", input = Json)]
pub async fn older_messages(chat: ChatId, before: MessageId) -> Result<MessageWindow, AppError> {
    let context = RequestContext::of::<OlderMessages>().await?;
    context.to_app_error(context.state.chats.older_messages(context.user()?, chat, before).await)
}

endpoint!(MessageText, Person);

/// Returns the source text of a message, for copying.
#[server(prefix = "/api", endpoint = "message_text", input = Json)]
pub async fn message_text(chat: ChatId, message: MessageId) -> Result<String, AppError> {
    let context = RequestContext::of::<MessageText>().await?;
    context.to_app_error(context.state.chats.message_text(context.user()?, chat, message).await)
}

#[cfg(feature = "ssr")]
fn redirect_to_chat(context: &RequestContext, sent: &StartedRun) {
    if context.is_plain_form() {
        leptos_axum::redirect(&format!("/chats/{}", sent.chat));
    }
}
