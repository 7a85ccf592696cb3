//! Sending, stopping, retrying, continuing, reading back.

use leptos::prelude::*;
use server_fn::codec::Json;

use crate::domain::{AppError, ChatId, ClientId, MessageId, MessageWindow, Sent};

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
    let door = super::door::Door::open()?;
    let client_id = if door.is_plain_form() { client_id.of_message(&text) } else { client_id };
    let outgoing = crate::server::chat::Outgoing { chat, client_id, text, model };
    let sent = door.answer(door.state.chats.send(door.user()?, outgoing).await)?;
    go_to_chat(&door, &sent);
    Ok(sent)
}

/// Asks the run of an answer to stop. Harmless where it has ended already.
#[server(prefix = "/api", endpoint = "stop_answer")]
pub async fn stop_answer(chat: ChatId, message: MessageId) -> Result<(), AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.chats.stop(door.user()?, chat, message).await)
}

/// Lets the last answer of a chat be written anew, by `model` where one is named. The old answer is kept aside.
#[server(prefix = "/api", endpoint = "retry_answer")]
pub async fn retry_answer(
    chat: ChatId,
    message: MessageId,
    #[server(default)] model: Option<String>,
) -> Result<Sent, AppError> {
    let door = super::door::Door::open()?;
    let sent = door.answer(door.state.chats.retry(door.user()?, chat, message, model).await)?;
    go_to_chat(&door, &sent);
    Ok(sent)
}

/// Lets a stopped, interrupted or failed last answer go on from where it ended.
#[server(prefix = "/api", endpoint = "continue_answer")]
pub async fn continue_answer(chat: ChatId, message: MessageId) -> Result<Sent, AppError> {
    let door = super::door::Door::open()?;
    let sent = door.answer(door.state.chats.go_on(door.user()?, chat, message).await)?;
    go_to_chat(&door, &sent);
    Ok(sent)
}

/// The window of the messages that lead to the message `before`.
#[server(prefix = "/api", endpoint = "older_messages", input = Json)]
pub async fn older_messages(chat: ChatId, before: MessageId) -> Result<MessageWindow, AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.chats.older(door.user()?, chat, before).await)
}

/// The text of a message as it was written, for copying.
#[server(prefix = "/api", endpoint = "message_text", input = Json)]
pub async fn message_text(chat: ChatId, message: MessageId) -> Result<String, AppError> {
    let door = super::door::Door::open()?;
    door.answer(door.state.chats.message_text(door.user()?, chat, message).await)
}

#[cfg(feature = "ssr")]
fn go_to_chat(door: &super::door::Door, sent: &Sent) {
    if door.is_plain_form() {
        leptos_axum::redirect(&format!("/chats/{}", sent.chat));
    }
}
