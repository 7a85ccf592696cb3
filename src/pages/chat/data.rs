use serde::{Deserialize, Serialize, Serializer};

use crate::{
    domain::{AppError, Chat, ChatId, MessageId},
    server_fns::chats::find_chat,
};

/// What the page is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatData {
    /// The chat with one window of its messages.
    #[serde(serialize_with = "without_html")]
    pub chat: Chat,
    /// Whether an older window is shown, as one reads without scripts.
    pub older: bool,
}

/// What stands for HTML that is on the page already.
pub const ON_THE_PAGE: &str = " ";

/// The browser takes over answers that the server has rendered into the page, so they are not sent a second time.
fn without_html<S: Serializer>(chat: &Chat, serializer: S) -> Result<S::Ok, S::Error> {
    let mut chat = chat.clone();
    for message in chat.window.messages.iter_mut().filter(|message| !message.html.is_empty()) {
        ON_THE_PAGE.clone_into(&mut message.html);
    }
    chat.serialize(serializer)
}

/// Loads the chat with the window before a message, or with the newest one. A chat that was just `made` is there
/// already.
pub async fn load(id: Option<ChatId>, before: Option<MessageId>, made: Option<Chat>) -> Result<ChatData, AppError> {
    let id = id.ok_or(AppError::NotFound)?;
    if let Some(chat) = made {
        return Ok(ChatData { chat, older: false });
    }
    Ok(ChatData { chat: find_chat(id, before).await?, older: before.is_some() })
}
