//! Chats and their lists.

use super::{
    Node, Owned, Store, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
    slices::STEP,
};
use crate::domain::{ChatCursor, ChatFilter, ChatId, ChatSummary, MessageId, Timestamp, search_key};

/// A chat to be written.
#[derive(Debug)]
pub struct NewChat<'a> {
    /// Its id.
    pub id: ChatId,
    /// Its title.
    pub title: &'a str,
    /// The id of the model that is asked.
    pub model: &'a str,
    /// The beginning of its first message.
    pub last_words: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// A chat without its messages.
#[derive(Debug, sqlx::FromRow)]
pub struct ChatRow {
    /// Its id.
    pub id: ChatId,
    /// Its title.
    pub title: String,
    /// The id of the model that was asked last.
    pub model: String,
    /// Kept at the top.
    pub pinned: bool,
    /// Put away.
    pub archived: bool,
    /// The last message of the path that is shown; none where nothing was said yet.
    pub head_id: Option<MessageId>,
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    id: ChatId,
    title: String,
    last_words: String,
    model: String,
    active_at: Timestamp,
    pinned: bool,
    archived: bool,
    running: bool,
}

impl From<SummaryRow> for ChatSummary {
    fn from(row: SummaryRow) -> Self {
        let SummaryRow { id, title, last_words, model, active_at, pinned, archived, running } = row;
        Self { id, title, last_words, model, active_at, pinned, archived, running }
    }
}

/// A pattern for `like … escape '\'` that finds the text literally.
pub(super) fn literal_pattern(text: &str) -> String {
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
    /// Writes a chat.
    pub async fn insert_chat(&mut self, chat: &NewChat<'_>) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into chats (id, owner_id, title, title_key, model, last_words, created_at, active_at, pinned, archived)
             values ($1, $2, $3, $4, $5, $6, $7, $7, false, false)",
            chat.id,
            self.owner,
            chat.title,
            search_key(chat.title),
            chat.model,
            chat.last_words,
            chat.now,
        )?;
        Ok(())
    }

    /// A chat that is not deleted.
    pub async fn find_chat(&mut self, chat: ChatId) -> Result<Option<ChatRow>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            ChatRow,
            "select id, title, model, pinned, archived, head_id from chats where id = $1 and owner_id = $2 and deleted_at is null",
            chat,
            self.owner,
        )?)
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
        // Without a cursor: a place before every row.
        let (pinned, active_at, id) = after
            .map_or((true, Timestamp::from_micros(i64::MAX), ChatId::from_uuid(uuid::Uuid::max())), |cursor| {
                (cursor.pinned, cursor.active_at, cursor.id)
            });
        let rows = fetch_all!(
            self.tx,
            SummaryRow,
            "select c.id, c.title, c.last_words, c.model, c.active_at, c.pinned, c.archived,
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
            literal_pattern(search),
            i64::from(limit),
        )?;
        Ok(rows.into_iter().map(ChatSummary::from).collect())
    }

    /// Gives a chat another title. `false` where there is no such chat.
    pub async fn update_title(&mut self, chat: ChatId, title: &str) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update chats set title = $3, title_key = $4 where id = $1 and owner_id = $2 and deleted_at is null",
            chat,
            self.owner,
            title,
            search_key(title),
        )?;
        Ok(changed == 1)
    }

    /// Pins or unpins a chat. `false` where there is no such chat.
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

    /// Puts a chat away or brings it back. `false` where there is no such chat.
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

    /// Marks a chat as deleted (`Some`), or takes that back (`None`). `false` where there is no such chat, or where it is
    /// being removed.
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

    /// Begins to write in a chat that is not deleted, and notes to whom. Gives its head, which is `None` where nothing was said
    /// yet; `None` where there is no such chat.
    /// On PostgreSQL this also locks the chat until the transaction ends, so that sends to one chat queue up.
    pub async fn begin_writing(
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
        let Some(id) = head else { return Ok(Some(None)) };
        // A statement of its own: the first one may have waited for whoever wrote this head, and sees nothing else of theirs.
        let sql = "select depth from messages where owner_id = $1 and id = $2";
        let depth = fetch_optional!(self.tx, (i64,), sql, self.owner, id)?;
        let (depth,) = depth.ok_or_else(|| StoreError::Schema("the head of a chat is not there".to_owned()))?;
        Ok(Some(Some(Node { id, depth })))
    }

    /// Shows the path that ends with a message, and notes the beginning of what was last said, if something was.
    pub async fn update_head(
        &mut self,
        chat: ChatId,
        head: MessageId,
        last_words: Option<&str>,
    ) -> Result<(), StoreError> {
        let sql =
            "update chats set head_id = $3, last_words = coalesce($4, last_words) where id = $1 and owner_id = $2";
        execute!(self.tx, sql, chat, self.owner, head, last_words)?;
        Ok(())
    }
}

impl Store {
    /// Removes the chats that were deleted before this moment, with all that hangs on them. Gives how many rows.
    ///
    /// # Errors
    /// As the database says; whoever comes next goes on from there.
    pub async fn remove_chats_deleted_before(&self, moment: Timestamp) -> Result<u64, StoreError> {
        if !self.read().await?.has_chats_deleted_before(moment).await? {
            return Ok(0);
        }
        // First all are marked, so that nobody can restore one of which a part is gone.
        self.in_slices(move |tx| Box::pin(tx.begin_removal(moment))).await?;
        self.in_slices(|tx| Box::pin(tx.remove_some_of_a_chat())).await
    }
}

impl Tx {
    async fn has_chats_deleted_before(&mut self, moment: Timestamp) -> Result<bool, StoreError> {
        let row = fetch_optional!(self, (ChatId,), "select id from chats where deleted_at < $1 limit 1", moment)?;
        Ok(row.is_some())
    }

    /// Marks some chats as being removed: as deleted at the moment 0.
    async fn begin_removal(&mut self, moment: Timestamp) -> Result<u64, StoreError> {
        // The conditions stand outside once more for a chat that is restored while this waits for its row.
        Ok(execute!(
            self,
            "update chats set deleted_at = 0 where deleted_at > 0 and deleted_at < $1
               and id in (select id from chats where deleted_at > 0 and deleted_at < $1 limit $2)",
            moment,
            STEP,
        )?)
    }

    /// Removes some rows of a chat that is marked, in the end the chat. Gives how many; 0 where no chat is marked.
    async fn remove_some_of_a_chat(&mut self) -> Result<u64, StoreError> {
        // On PostgreSQL this locks the chat, so that several instances take turns.
        let chat = fetch_optional!(
            self,
            (ChatId,),
            "update chats set deleted_at = 0 where deleted_at = 0
               and id = (select id from chats where deleted_at = 0 order by id limit 1) returning id",
        )?;
        let Some((chat,)) = chat else { return Ok(0) };
        let runs = "delete from runs where id in (select id from runs where chat_id = $1 limit $2)";
        let messages = "delete from messages where id in (select id from messages where chat_id = $1 limit $2)";
        let rows = execute!(self, runs, chat, STEP)? + execute!(self, messages, chat, STEP)?;
        if rows > 0 {
            return Ok(rows);
        }
        Ok(execute!(self, "delete from chats where id = $1", chat)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_19_search_is_literal() {
        assert_eq!(literal_pattern(""), "%%");
        assert_eq!(literal_pattern("50%_\\ÄB"), "%50\\%\\_\\\\äb%");
    }
}
