//! Downloads of people's own data, and their pieces.

use uuid::Uuid;

use super::{
    Owned, Store, StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::{DataExport, ExportId, JobKind, Timestamp, UserId};

/// Pieces that are removed at a time. Those of older versions are a megabyte each.
const PIECES_STEP: i64 = 1;

/// A download to be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct ExportRow {
    /// Which.
    pub id: ExportId,
    /// Whose.
    pub user_id: UserId,
    /// When it is removed.
    pub expires_at: Timestamp,
}

impl Owned<'_> {
    /// Notes that the owner asks for a download, which takes the place of earlier ones; `false` where one is being
    /// put together.
    pub async fn insert_export(
        &mut self,
        id: ExportId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        // Hidden from now on; the worker removes them, which can take a while.
        execute!(
            self.tx,
            "update exports set expires_at = 0 where user_id = $1 and state in ('ready', 'failed')",
            self.owner
        )?;
        let inserted = execute!(
            self.tx,
            "insert into exports (id, user_id, state, created_at, expires_at) values ($1, $2, 'waiting', $3, $4)
             on conflict do nothing",
            id,
            self.owner,
            now,
            expires_at,
        )?;
        if inserted == 1 {
            self.tx.enqueue(JobKind::BuildExport, id.uuid(), now, now).await?;
        }
        Ok(inserted == 1)
    }

    /// The owner's last download that has not expired.
    pub async fn find_last_export(&mut self, now: Timestamp) -> Result<Option<DataExport>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            DataExport,
            "select id, state, done, total, bytes, created_at, expires_at from exports
             where user_id = $1 and expires_at > $2 order by created_at desc, id desc limit 1",
            self.owner,
            now,
        )?)
    }

    /// A download of the owner's that has not expired.
    pub async fn find_export(&mut self, id: ExportId, now: Timestamp) -> Result<Option<DataExport>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            DataExport,
            "select id, state, done, total, bytes, created_at, expires_at from exports
             where user_id = $1 and id = $2 and expires_at > $3",
            self.owner,
            id,
            now,
        )?)
    }

    /// A piece of a download of the owner's that is ready.
    pub async fn find_export_piece(&mut self, id: ExportId, position: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (Vec<u8>,),
            "select p.bytes from export_pieces p join exports e on e.id = p.export_id
             where e.user_id = $1 and e.id = $2 and e.state = 'ready' and p.position = $3",
            self.owner,
            id,
            position,
        )?;
        Ok(row.map(|(bytes,)| bytes))
    }
}

impl Store {
    /// Removes the downloads that have expired.
    pub async fn remove_expired_exports(&self, now: Timestamp) -> Result<(), StoreError> {
        if self.read().await?.has_expired_export(now).await? {
            self.in_slices(move |tx| Box::pin(tx.remove_some_expired_exports(now))).await?;
        }
        Ok(())
    }

    /// Removes the pieces that an earlier attempt has left, while the lease of this one holds.
    pub async fn remove_export_pieces(&self, id: ExportId, lease: Uuid) -> Result<(), StoreError> {
        self.in_slices(move |tx| Box::pin(tx.remove_some_export_pieces(id, Some(lease)))).await?;
        Ok(())
    }
}

impl Tx {
    async fn has_expired_export(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let row = fetch_optional!(self, (ExportId,), "select id from exports where expires_at <= $1 limit 1", now)?;
        Ok(row.is_some())
    }

    /// Removes some of an export that has expired, in the end its row. Gives how many rows.
    async fn remove_some_expired_exports(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        // On PostgreSQL this locks it, so that several instances take turns.
        let expired = fetch_optional!(
            self,
            (ExportId,),
            "update exports set expires_at = 0 where expires_at <= $1
               and id = (select id from exports where expires_at <= $1 order by id limit 1) returning id",
            now,
        )?;
        let Some((id,)) = expired else { return Ok(0) };
        let pieces = self.remove_some_export_pieces(id, None).await?;
        if pieces > 0 {
            return Ok(pieces);
        }
        Ok(execute!(self, "delete from exports where id = $1", id)?)
    }

    /// Where a lease is named, only while it is the one that holds: whoever was stopped for a while must not remove what the
    /// next one has written.
    async fn remove_some_export_pieces(&mut self, id: ExportId, lease: Option<Uuid>) -> Result<u64, StoreError> {
        Ok(execute!(
            self,
            "delete from export_pieces where export_id = $1
               and position in (select position from export_pieces where export_id = $1 limit $2)
               and ($3 is null or exists (select 1 from jobs where kind = 'build_export' and subject_id = $1 and lease = $3))",
            id,
            PIECES_STEP,
            lease,
        )?)
    }

    /// Notes that a download is being built; `None` where nobody waits for it any more.
    pub async fn begin_export(&mut self, id: ExportId, now: Timestamp) -> Result<Option<ExportRow>, StoreError> {
        Ok(fetch_optional!(
            self,
            ExportRow,
            "update exports set state = 'working', done = 0
             where id = $1 and expires_at > $2 and state <> 'ready' returning id, user_id, expires_at",
            id,
            now,
        )?)
    }

    /// Notes how many chats of how many are in a download.
    pub async fn update_export_progress(&mut self, id: ExportId, (done, total): (i64, i64)) -> Result<(), StoreError> {
        execute!(self, "update exports set done = $2, total = $3 where id = $1", id, done, total)?;
        Ok(())
    }

    /// Adds a piece of a download.
    pub async fn insert_export_piece(&mut self, id: ExportId, position: i64, bytes: &[u8]) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into export_pieces (export_id, position, bytes) values ($1, $2, $3)",
            id,
            position,
            bytes
        )?;
        Ok(())
    }

    /// Notes that all pieces of a download are there: so many bytes.
    pub async fn finish_export(&mut self, id: ExportId, bytes: i64, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self,
            "update exports set state = 'ready', bytes = $2, ready_at = $3, done = total where id = $1",
            id,
            bytes,
            now,
        )?;
        Ok(())
    }
}
