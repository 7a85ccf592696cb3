//! Versions of messages: siblings in the tree, and the paths below them.

use std::collections::HashMap;

use super::{
    Node, Owned, StoreError,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{ChatId, MessageId, Versions};

/// The place of a message among its siblings.
#[derive(sqlx::FromRow)]
struct VersionRow {
    id: MessageId,
    number: i64,
    total: i64,
    older: Option<MessageId>,
    newer: Option<MessageId>,
}

impl From<VersionRow> for Versions {
    fn from(row: VersionRow) -> Self {
        let bounded = |value| u32::try_from(value).unwrap_or(u32::MAX);
        Self { number: bounded(row.number), count: bounded(row.total), previous: row.older, next: row.newer }
    }
}

impl Owned<'_> {
    /// The places of the messages of a chat at these depths among their versions, also on other paths. Messages that
    /// have no other version are left out.
    pub async fn list_versions(
        &mut self,
        chat: ChatId,
        lowest_depth: i64,
        highest_depth: i64,
    ) -> Result<HashMap<MessageId, Versions>, StoreError> {
        // Siblings have the same parent and therefore the same depth. The first messages of a chat have no parent.
        let rows = fetch_all!(
            self.tx,
            VersionRow,
            "with places as (
               select id, row_number() over siblings as number, lag(id) over siblings as older,
                 lead(id) over siblings as newer,
                 count(*) over (siblings rows between unbounded preceding and unbounded following) as total
               from messages where owner_id = $1 and chat_id = $2 and depth >= $3 and depth <= $4
               window siblings as (partition by parent_id order by id)
             ) select id, number, total, older, newer from places where total > 1",
            self.owner,
            chat,
            lowest_depth,
            highest_depth,
        )?;
        Ok(rows.into_iter().map(|row| (row.id, row.into())).collect())
    }

    /// The place of one message among its versions; `None` if it has no other version.
    pub async fn find_versions(&mut self, chat: ChatId, message: Node) -> Result<Option<Versions>, StoreError> {
        Ok(self.list_versions(chat, message.depth, message.depth).await?.remove(&message.id))
    }

    /// The message with this depth on the path to the message `end`.
    async fn find_on_path(&mut self, end: MessageId, depth: i64) -> Result<Option<MessageId>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (MessageId,),
            "with recursive path as (
               select m.id, m.parent_id, m.depth from messages m where m.owner_id = $1 and m.id = $2
               union all
               select m.id, m.parent_id, m.depth from path join messages m on m.id = path.parent_id and m.owner_id = $1
               where path.depth > $3
             ) select id from path where depth = $3",
            self.owner,
            end,
            depth,
        )?;
        Ok(row.map(|(id,)| id))
    }

    /// Whether a message is on the path to the head.
    pub async fn is_on_path(&mut self, head: Option<Node>, message: Node) -> Result<bool, StoreError> {
        let Some(head) = head.filter(|head| head.depth >= message.depth) else { return Ok(false) };
        Ok(self.find_on_path(head.id, message.depth).await? == Some(message.id))
    }

    /// Remembers at the message with this depth on the path to the head that this path is shown below it. Returns that
    /// message; `None` if the path is shorter.
    pub async fn remember_path(&mut self, head: Option<Node>, depth: i64) -> Result<Option<MessageId>, StoreError> {
        let Some(head) = head.filter(|head| head.depth >= depth) else { return Ok(None) };
        if head.depth == depth {
            return Ok(Some(head.id));
        }
        let shown = self.find_on_path(head.id, depth).await?;
        let sql = "update messages set last_leaf_id = $3 where owner_id = $1 and id = $2";
        execute!(self.tx, sql, self.owner, shown, head.id)?;
        Ok(shown)
    }

    /// The end of the path below a message that was shown last, or of the one along the newest messages if none was
    /// remembered. This is the message itself if nothing follows it. `None` if there is no such message in the chat.
    pub async fn find_last_leaf(&mut self, chat: ChatId, message: MessageId) -> Result<Option<Node>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (MessageId, i64),
            "with recursive path as (
               select l.id, l.depth from messages m join messages l on l.id = coalesce(m.last_leaf_id, m.id)
               where m.owner_id = $1 and m.chat_id = $2 and m.id = $3 and l.owner_id = $1
               union all
               select (select c.id from messages c
                   where c.owner_id = $1 and c.chat_id = $2 and c.depth = path.depth + 1 and c.parent_id = path.id
                   order by c.id desc limit 1), path.depth + 1
               from path where path.id is not null
             ) select id, depth from path where id is not null order by depth desc limit 1",
            self.owner,
            chat,
            message,
        )?;
        Ok(row.map(|(id, depth)| Node { id, depth }))
    }
}
