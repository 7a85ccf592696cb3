use serde::{Deserialize, Serialize, Serializer};

use crate::{
    domain::{AppError, Chat, ChatId, MessageId},
    server_fns::chats::find_chat,
};

/// The data of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatData {
    /// The chat with one window of its messages.
    #[serde(serialize_with = "without_html")]
    pub chat: Chat,
    /// Whether this is an older window, as opened without scripts.
    pub older: bool,
}

/// Placeholder for HTML that is already on the page.
pub const HTML_PLACEHOLDER: &str = " ";

/// On hydration the browser reuses the rendered answers, so their HTML is not sent a second time.
fn without_html<S: Serializer>(chat: &Chat, serializer: S) -> Result<S::Ok, S::Error> {
    let mut chat = chat.clone();
    for message in chat.window.messages.iter_mut().filter(|message| !message.html.is_empty()) {
        HTML_PLACEHOLDER.clone_into(&mut message.html);
    }
    chat.serialize(serializer)
}

/// Loads the chat with the window before a message, or with the newest window. A `new_chat` that was just created is
/// not loaded again. `None` if the chat is deleted and can be restored.
pub async fn load(
    id: Option<ChatId>,
    before: Option<MessageId>,
    new_chat: Option<Chat>,
) -> Result<Option<ChatData>, AppError> {
    let id = id.ok_or(AppError::NotFound)?;
    if let Some(chat) = new_chat {
        return Ok(Some(ChatData { chat, older: false }));
    }
    match find_chat(id, before).await {
        Ok(chat) => Ok(Some(ChatData { chat, older: before.is_some() })),
        Err(AppError::ChatDeleted) => Ok(None),
        Err(error) => Err(error),
    }
}
