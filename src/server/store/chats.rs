//! Chats, chat lists and the removal of deleted chats.

use super::{
    Engine, Node, Owned, Store, StoreError,
    batches::ROWS_PER_STEP,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{ChatCursor, ChatFilter, ChatId, ChatSummary, MessageId, Timestamp, search_key};

/// A chat to insert.
#[derive(Debug)]
pub struct NewChat<'a> {
    /// The chat's id.
    pub id: ChatId,
    /// The title.
    pub title: &'a str,
    /// The model's id.
    pub model: &'a str,
    /// The beginning of the first message, for the chat lists.
    pub preview: &'a str,
    /// The last message of its path. It may be inserted later in the transaction. `None` if the chat is empty.
    pub head: Option<MessageId>,
    /// The current time.
    pub now: Timestamp,
}

/// A chat without its messages.
#[derive(Debug, sqlx::FromRow)]
pub struct ChatRow {
    /// The chat's id.
    pub id: ChatId,
    /// The title.
    pub title: String,
    /// The id of the model that was used last.
    pub model: String,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether it is archived.
    pub archived: bool,
    /// The last message of the current path; `None` for a chat without messages.
    pub head_id: Option<MessageId>,
    /// Whether an answer ended unseen.
    pub unread: bool,
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    id: ChatId,
    title: String,
    #[sqlx(rename = "last_words")]
    preview: String,
    model: String,
    active_at: Timestamp,
    pinned: bool,
    archived: bool,
    running: bool,
    unread: bool,
}

impl From<SummaryRow> for ChatSummary {
    fn from(row: SummaryRow) -> Self {
        let SummaryRow { id, title, preview, model, active_at, pinned, archived, running, unread } = row;
        Self { id, title, preview, model, active_at, pinned, archived, running, unread }
    }
}

/// A pattern for `like … escape '\'` that matches the text literally.
pub(super) fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in search_key(text).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl Owned<'_> {
    /// Inserts a chat with an automatic title.
    pub async fn insert_chat(&mut self, chat: &NewChat<'_>) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into chats (id, owner_id, title, title_key, model, last_words, head_id, created_at, active_at, pinned,
               archived, title_source)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $8, false, false, 'automatic')",
            chat.id,
            self.owner,
            chat.title,
            search_key(chat.title),
            chat.model,
            chat.preview,
            chat.head,
            chat.now,
        )?;
        Ok(())
    }

    /// A chat that is not deleted.
    pub async fn find_chat(&mut self, chat: ChatId) -> Result<Option<ChatRow>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            ChatRow,
            "select id, title, model, pinned, archived, head_id, unread from chats
             where id = $1 and owner_id = $2 and deleted_at is null",
            chat,
            self.owner,
        )?)
    }

    /// Whether a chat is deleted, but not being removed yet.
    pub async fn is_restorable(&mut self, chat: ChatId) -> Result<bool, StoreError> {
        let sql = "select id from chats where id = $1 and owner_id = $2 and deleted_at > 0";
        Ok(fetch_optional!(self.tx, (ChatId,), sql, chat, self.owner)?.is_some())
    }

    /// Up to `limit` chats after the cursor: pinned ones first, then newest first.
    pub async fn list_chats(
        &mut self,
        filter: ChatFilter,
        search: &str,
        after: Option<ChatCursor>,
        limit: u32,
    ) -> Result<Vec<ChatSummary>, StoreError> {
        let archived = filter == ChatFilter::Archived;
        let (lowest_pinned, highest_pinned) = match filter {
            ChatFilter::Pinned => (true, true),
            ChatFilter::All | ChatFilter::Archived => (false, true),
        };
        // Without a cursor, start before every row.
        let (pinned, active_at, id) = after
            .map_or((true, Timestamp::from_micros(i64::MAX), ChatId::from_uuid(uuid::Uuid::max())), |cursor| {
                (cursor.pinned, cursor.active_at, cursor.id)
            });
        let rows = fetch_all!(
            self.tx,
            SummaryRow,
            "select c.id, c.title, c.last_words, c.model, c.active_at, c.pinned, c.archived, c.unread,
               exists (select 1 from runs r where r.chat_id = c.id and r.state <> 'ended') as running
             from chats c
             where c.owner_id = $1 and c.deleted_at is null and c.archived = $2
               and c.pinned >= $3 and c.pinned <= $4
               and (c.pinned, c.active_at, c.id) < ($5, $6, $7)
               and ($8 = '%%' or replace(c.title_key, '\u{200D}', '') like $8 escape '\\')
             order by c.pinned desc, c.active_at desc, c.id desc
             limit $9",
            self.owner,
            archived,
            lowest_pinned,
            highest_pinned,
            pinned,
            active_at,
            id,
            like_pattern(search),
            i64::from(limit),
        )?;
        Ok(rows.into_iter().map(ChatSummary::from).collect())
    }

    /// Renames a chat; `false` if there is no such chat.
    pub async fn update_title(&mut self, chat: ChatId, title: &str) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update chats set title = $3, title_key = $4, title_source = 'person'
             where id = $1 and owner_id = $2 and deleted_at is null",
            chat,
            self.owner,
            title,
            search_key(title),
        )?;
        Ok(changed == 1)
    }

    /// Removes the mark of an unread chat.
    pub async fn mark_read(&mut self, chat: ChatId) -> Result<(), StoreError> {
        let sql = "update chats set unread = false where id = $1 and owner_id = $2 and unread";
        execute!(self.tx, sql, chat, self.owner)?;
        Ok(())
    }

    /// Pins or unpins a chat; `false` if there is no such chat.
    pub async fn update_pinned(&mut self, chat: ChatId, pinned: bool) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update chats set pinned = $3 where id = $1 and owner_id = $2 and deleted_at is null",
            chat,
            self.owner,
            pinned,
        )?;
        Ok(changed == 1)
    }

    /// Archives or unarchives a chat; `false` if there is no such chat.
    pub async fn update_archived(&mut self, chat: ChatId, archived: bool) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update chats set archived = $3 where id = $1 and owner_id = $2 and deleted_at is null",
            chat,
            self.owner,
            archived,
        )?;
        Ok(changed == 1)
    }

    /// Marks a chat as deleted (`Some`) or restores it (`None`); `false` if there is no such chat or it is being
    /// removed.
    pub async fn update_deleted(&mut self, chat: ChatId, deleted_at: Option<Timestamp>) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update chats set deleted_at = $3
             where id = $1 and owner_id = $2 and (deleted_at is null or deleted_at > 0)",
            chat,
            self.owner,
            deleted_at,
        )?;
        Ok(changed == 1)
    }

    /// Updates the model and the time of the last activity of a chat that is not deleted, and returns its head, which
    /// is `None` for a chat without messages; `None` if there is no such chat. On PostgreSQL this also locks the chat
    /// until the transaction ends, so that concurrent sends to one chat wait for each other.
    pub async fn lock_chat_for_writing(
        &mut self,
        chat: ChatId,
        model: &str,
        now: Timestamp,
    ) -> Result<Option<Option<Node>>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (Option<MessageId>,),
            "update chats set model = $3, active_at = $4
             where id = $1 and owner_id = $2 and deleted_at is null returning head_id",
            chat,
            self.owner,
            model,
            now,
        )?;
        let Some((head,)) = row else { return Ok(None) };
        self.find_head(head).await.map(Some)
    }

    /// Locks a chat like [`Self::lock_chat_for_writing`] and returns its head likewise, but changes nothing.
    pub async fn lock_chat(&mut self, chat: ChatId) -> Result<Option<Option<Node>>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (Option<MessageId>,),
            "update chats set head_id = head_id
             where id = $1 and owner_id = $2 and deleted_at is null returning head_id",
            chat,
            self.owner,
        )?;
        let Some((head,)) = row else { return Ok(None) };
        self.find_head(head).await.map(Some)
    }

    /// The position of the head of a locked chat. A separate statement: the one that locks the chat may have waited for
    /// the transaction that set this head, but does not see its other changes.
    async fn find_head(&mut self, head: Option<MessageId>) -> Result<Option<Node>, StoreError> {
        let Some(id) = head else { return Ok(None) };
        let sql = "select depth from messages where owner_id = $1 and id = $2";
        let depth = fetch_optional!(self.tx, (i64,), sql, self.owner, id)?;
        let (depth,) = depth.ok_or_else(|| StoreError::Schema("the head of a chat does not exist".to_owned()))?;
        Ok(Some(Node { id, depth }))
    }

    /// Sets the head of a chat, which selects the current path, and its preview, if there is a new one.
    pub async fn update_head(
        &mut self,
        chat: ChatId,
        head: MessageId,
        preview: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql =
            "update chats set head_id = $3, last_words = coalesce($4, last_words) where id = $1 and owner_id = $2";
        execute!(self.tx, sql, chat, self.owner, head, preview)?;
        Ok(())
    }
}

impl Store {
    /// Permanently removes the chats that were deleted before this time, with their messages and runs. Returns the
    /// number of deleted rows.
    ///
    /// # Errors
    /// Any [`StoreError`]; the next attempt continues from there.
    pub async fn remove_chats_deleted_before(&self, before: Timestamp) -> Result<u64, StoreError> {
        if !self.read().await?.engine().has_chats_deleted_before(before).await? {
            return Ok(0);
        }
        // All are marked first, so that a partly removed chat cannot be restored.
        self.run_in_batches(move |mut engine| Box::pin(async move { engine.mark_for_removal(before).await })).await?;
        self.run_in_batches(|mut engine| Box::pin(async move { engine.remove_chat_batch().await })).await
    }
}

impl Engine<'_> {
    async fn has_chats_deleted_before(&mut self, before: Timestamp) -> Result<bool, StoreError> {
        let row = fetch_optional!(self.tx, (ChatId,), "select id from chats where deleted_at < $1 limit 1", before)?;
        Ok(row.is_some())
    }

    /// Marks some chats as being removed, by setting `deleted_at` to 0. Returns their number.
    async fn mark_for_removal(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        // The conditions are repeated outside the subquery for a chat that is restored while this waits for its row.
        Ok(execute!(
            self.tx,
            "update chats set deleted_at = 0 where deleted_at > 0 and deleted_at < $1
               and id in (select id from chats where deleted_at > 0 and deleted_at < $1 limit $2)",
            before,
            ROWS_PER_STEP,
        )?)
    }

    /// Deletes some rows of a marked chat, at the end the chat itself. Returns the number of deleted rows; 0 if no chat
    /// is marked.
    async fn remove_chat_batch(&mut self) -> Result<u64, StoreError> {
        // On PostgreSQL this locks the chat, so that several instances work alternately.
        let chat = fetch_optional!(
            self.tx,
            (ChatId,),
            "update chats set deleted_at = 0 where deleted_at = 0
               and id = (select id from chats where deleted_at = 0 order by id limit 1) returning id",
        )?;
        let Some((chat,)) = chat else { return Ok(0) };
        let runs = "delete from runs where id in (select id from runs where chat_id = $1 limit $2)";
        let messages = "delete from messages where id in (select id from messages where chat_id = $1 limit $2)";
        let rows = execute!(self.tx, runs, chat, ROWS_PER_STEP)? + execute!(self.tx, messages, chat, ROWS_PER_STEP)?;
        if rows > 0 {
            return Ok(rows);
        }
        Ok(execute!(self.tx, "delete from chats where id = $1", chat)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_19_search_is_literal() {
        assert_eq!(like_pattern(""), "%%");
        assert_eq!(like_pattern("50%_\\ÄB"), "%50\\%\\_\\\\äb%");
    }
}
