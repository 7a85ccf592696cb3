//! Sending, stopping, retrying, continuing, reading back.

use leptos::prelude::*;
use server_fn::codec::Json;

#[cfg(feature = "ssr")]
use super::context::RequestContext;
use crate::domain::{AppError, ChatId, ClientId, MessageId, MessageWindow, Sent};

endpoint!(SendMessage, Person);

/// Writes a message into a chat, or into a new one where `chat` is empty, and starts the answer.
/// Sending the same `client_id` again changes nothing and gives the same answer. A plain form goes to the chat; its
/// `client_id` is that of a draft, because such a form can be gone back to and sent again with another text.
#[server(prefix = "/api", endpoint = "send_message")]
pub async fn send_message(
    #[server(default)] chat: Option<ChatId>,
    client_id: ClientId,
    text: String,
    #[server(default)] model: Option<String>,
) -> Result<Sent, AppError> {
    let context = RequestContext::of::<SendMessage>().await?;
    let client_id = if context.is_plain_form() { client_id.of_message(&text) } else { client_id };
    let outgoing = crate::server::chat::Outgoing { chat, client_id, text, model };
    let sent = context.to_app_error(context.state.chats.send(context.user()?, outgoing).await)?;
    go_to_chat(&context, &sent);
    Ok(sent)
}

endpoint!(StopAnswer, Person);

/// Asks the run of an answer to stop. Harmless where it has ended already.
#[server(prefix = "/api", endpoint = "stop_answer")]
pub async fn stop_answer(chat: ChatId, message: MessageId) -> Result<(), AppError> {
    let context = RequestContext::of::<StopAnswer>().await?;
    context.to_app_error(context.state.chats.stop(context.user()?, chat, message).await)
}

endpoint!(RetryAnswer, Person);

/// Lets the last answer of a chat be written anew, by `model` where one is named. The old answer is kept aside.
#[server(prefix = "/api", endpoint = "retry_answer")]
pub async fn retry_answer(
    chat: ChatId,
    message: MessageId,
    #[server(default)] model: Option<String>,
) -> Result<Sent, AppError> {
    let context = RequestContext::of::<RetryAnswer>().await?;
    let sent = context.to_app_error(context.state.chats.retry(context.user()?, chat, message, model).await)?;
    go_to_chat(&context, &sent);
    Ok(sent)
}

endpoint!(ContinueAnswer, Person);

/// Lets a stopped, interrupted or failed last answer go on from where it ended.
#[server(prefix = "/api", endpoint = "continue_answer")]
pub async fn continue_answer(chat: ChatId, message: MessageId) -> Result<Sent, AppError> {
    let context = RequestContext::of::<ContinueAnswer>().await?;
    let sent = context.to_app_error(context.state.chats.continue_answer(context.user()?, chat, message).await)?;
    go_to_chat(&context, &sent);
    Ok(sent)
}

endpoint!(OlderMessages, Person);

/// The window of the messages that lead to the message `before`.
#[server(prefix = "/api", endpoint = "older_messages", input = Json)]
pub async fn older_messages(chat: ChatId, before: MessageId) -> Result<MessageWindow, AppError> {
    let context = RequestContext::of::<OlderMessages>().await?;
    context.to_app_error(context.state.chats.older(context.user()?, chat, before).await)
}

endpoint!(MessageText, Person);

/// The text of a message as it was written, for copying.
#[server(prefix = "/api", endpoint = "message_text", input = Json)]
pub async fn message_text(chat: ChatId, message: MessageId) -> Result<String, AppError> {
    let context = RequestContext::of::<MessageText>().await?;
    context.to_app_error(context.state.chats.message_text(context.user()?, chat, message).await)
}

#[cfg(feature = "ssr")]
fn go_to_chat(context: &RequestContext, sent: &Sent) {
    if context.is_plain_form() {
        leptos_axum::redirect(&format!("/chats/{}", sent.chat));
    }
}
