//! Branches of the message tree: a message with what leads to it, or with what follows it.

use super::{Chats, send::answer_running};
use crate::{
    domain::{AppError, AuditAction, ChatId, MessageId, UserId, message_preview, title_of_copy},
    server::{
        audit::{RequestMeta, chat_count_detail},
        fault::Fault,
        store::{ChatCopy, Node, Owned},
    },
};

impl Chats {
    /// Starts a chat with a copy of a message and all that leads to it. Returns its id.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` if the message is an open answer.
    pub async fn copy_branch(&self, owner: UserId, chat: ChatId, message: MessageId) -> Result<ChatId, Fault> {
        let clock = &self.0.clock;
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        own.lock_chat(chat).await?.ok_or(AppError::NotFound)?;
        let found = own.find_chat(chat).await?.ok_or(AppError::NotFound)?;
        let end = own.find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        if end.state == "open" {
            return Err(answer_running().into());
        }
        let id = ChatId::from_uuid(clock.new_id());
        let messages: Vec<_> = (0..=end.depth).map(|_| MessageId::from_uuid(clock.new_id())).collect();
        let (title, preview) = (title_of_copy(&found.title), message_preview(&end.text()));
        let copy = ChatCopy { id, title: &title, preview: &preview, messages: &messages, now: clock.now() };
        own.copy_chat(chat, message, &copy).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Permanently deletes a message and all that follows it. Another version of it is shown then, or else the message
    /// before it. The only first message is deleted with the whole chat, which can be restored for a while. Returns
    /// whether the chat remains.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` while an answer of the chat is open.
    pub async fn delete_branch(
        &self,
        owner: UserId,
        chat: ChatId,
        message: MessageId,
        meta: &RequestMeta,
    ) -> Result<bool, Fault> {
        let mut tx = self.0.store.write().await?;
        let mut own = tx.owned_by(owner);
        let head = own.lock_chat(chat).await?.ok_or(AppError::NotFound)?;
        let found = own.find_message(chat, message).await?.ok_or(AppError::NotFound)?;
        if own.has_open_run(chat).await? {
            return Err(answer_running().into());
        }
        let versions = own.find_versions(chat, found.node()).await?;
        let sibling = versions.and_then(|versions| versions.previous.or(versions.next));
        if sibling.is_none() && found.parent_id.is_none() {
            own.update_deleted(chat, Some(self.0.clock.now())).await?;
            let (action, detail) = (AuditAction::DeleteChats, chat_count_detail(1));
            meta.record_own_with_detail(&mut tx, &self.0.clock, owner, action, &detail).await?;
            tx.commit().await?;
            return Ok(false);
        }
        if own.is_on_path(head, found.node()).await? {
            let end = match sibling {
                Some(sibling) => own.find_last_leaf(chat, sibling).await?,
                None => found.parent(),
            };
            show_path(&mut own, chat, end.ok_or(AppError::NotFound)?).await?;
        }
        own.remove_branch(chat, found.node()).await?;
        meta.record_own(&mut tx, &self.0.clock, owner, AuditAction::DeleteMessages).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Shows the path to a message, in the chat and in the lists.
pub(super) async fn show_path(own: &mut Owned<'_>, chat: ChatId, end: Node) -> Result<(), Fault> {
    let last = own.find_message(chat, end.id).await?.ok_or(AppError::NotFound)?;
    // Also if it is empty: the words of a message that is not shown would stay.
    own.update_head(chat, end.id, Some(&message_preview(&last.text()))).await?;
    Ok(())
}
