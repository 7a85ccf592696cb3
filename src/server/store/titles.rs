//! Titles that models write.

use uuid::Uuid;

use super::{
    Engine, Owned, StoreError,
    db::{execute, fetch_optional},
};
use crate::domain::{ChatId, MessageId, UserId, search_key};

/// A chat whose title is still the automatic one.
#[derive(Debug, sqlx::FromRow)]
pub struct UntitledChat {
    /// The chat's id.
    pub id: ChatId,
    /// The owner.
    pub owner_id: UserId,
    /// The automatic title.
    pub title: String,
}

impl Engine<'_> {
    /// The chat of an answer, by the subject of a job; `None` if it is gone or deleted, or has got a title.
    pub async fn find_untitled_chat(&mut self, answer: Uuid) -> Result<Option<UntitledChat>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            UntitledChat,
            "select c.id, c.owner_id, c.title from messages m join chats c on c.id = m.chat_id
             where m.id = $1 and c.title_source = 'automatic' and c.deleted_at is null",
            MessageId::from_uuid(answer),
        )?)
    }
}

impl Owned<'_> {
    /// Replaces the automatic title of a chat. Does nothing if it was changed in the meantime, or the chat was deleted.
    pub async fn replace_automatic_title(
        &mut self,
        chat: ChatId,
        automatic: &str,
        title: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "update chats set title = $4, title_key = $5, title_source = 'model'
             where id = $1 and owner_id = $2 and title = $3 and title_source = 'automatic' and deleted_at is null",
            chat,
            self.owner,
            automatic,
            title,
            search_key(title),
        )?;
        Ok(())
    }
}
