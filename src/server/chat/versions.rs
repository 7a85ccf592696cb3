//! Which of several versions of a message is shown.

use super::{Chats, branches::show_path, read::rows_to, send::answer_running};
use crate::{
    domain::{AppError, ChatId, MessageId, MessageWindow, UserId, limits},
    server::fault::Fault,
};

/// The maximum number of messages that are returned so that the chosen version is among them.
const MAX_MESSAGES: u32 = 2 * limits::MESSAGES_PER_WINDOW;

impl Chats {
    /// Shows another version of a message, and below it the path that was shown there last. Returns the newest messages
    /// of the path that is shown now: from the message before the chosen version on, unless that is very long.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` while an answer of the chat is open.
    pub async fn choose_version(
        &self,
        owner: UserId,
        chat: ChatId,
        message: MessageId,
    ) -> Result<MessageWindow, Fault> {
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        let head = own.lock_chat(chat).await?.ok_or(AppError::NotFound)?;
        let chosen = own.find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        if own.has_open_run(chat).await? {
            return Err(answer_running().into());
        }
        let shown = own.remember_path(head, chosen.depth).await?;
        let end = match head {
            // The form was sent twice.
            Some(head) if shown == Some(message) => head,
            _ => own.find_last_leaf(chat, message).await?.ok_or(AppError::NotFound)?,
        };
        show_path(&mut own, chat, end).await?;
        tx.commit().await?;
        let wanted = u32::try_from(end.depth - chosen.depth + 2).unwrap_or(u32::MAX);
        let length = if wanted > MAX_MESSAGES { 0 } else { wanted }.max(limits::MESSAGES_PER_WINDOW);
        let mut tx = self.0.store.read().await?;
        let rows = rows_to(&mut tx.owned_by(owner), chat, Some(end.id), length).await?;
        drop(tx);
        self.window(rows).await
    }
}
