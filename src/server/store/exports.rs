//! Data exports: downloads of a user's own data, stored in chunks.
//!
//! They are in the database and not in files, because several instances on several machines can share it: one builds the
//! file, and any can send it. A deleted export is also deleted from the database's own file this way.

use uuid::Uuid;

use super::{
    Engine, Owned, Store, StoreError,
    db::{execute, fetch_optional},
};
use crate::domain::{DataExport, ExportId, JobKind, Timestamp, UserId};

/// Chunks that are deleted per step. Chunks of older versions are one megabyte each.
const CHUNKS_PER_STEP: i64 = 1;

/// An export that is being built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct ExportRow {
    /// The export's id.
    pub id: ExportId,
    /// The owner.
    pub user_id: UserId,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl Owned<'_> {
    /// Inserts an export and enqueues its job. Replaces earlier exports; `false` if one is still being built.
    pub async fn insert_export(
        &mut self,
        id: ExportId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        // Hides the earlier exports. A background job deletes them, which may take a while.
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

    /// The owner's newest export that has not expired.
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

    /// An export of the owner, unless it has expired.
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

    /// A chunk of an export of the owner that is ready.
    pub async fn find_export_chunk(&mut self, id: ExportId, position: i64) -> Result<Option<Vec<u8>>, StoreError> {
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
    /// Deletes the expired exports.
    pub async fn remove_expired_exports(&self, now: Timestamp) -> Result<(), StoreError> {
        if self.read().await?.engine().has_expired_export(now).await? {
            self.run_in_batches(move |mut engine| {
                Box::pin(async move { engine.remove_expired_export_batch(now).await })
            })
            .await?;
        }
        Ok(())
    }

    /// Deletes the chunks of an earlier attempt, as long as the lease of this one is held.
    pub async fn remove_export_chunks(&self, id: ExportId, lease: Uuid) -> Result<(), StoreError> {
        self.run_in_batches(move |mut engine| {
            Box::pin(async move { engine.remove_export_chunk_batch(id, Some(lease)).await })
        })
        .await?;
        Ok(())
    }
}

impl Engine<'_> {
    async fn has_expired_export(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let row = fetch_optional!(self.tx, (ExportId,), "select id from exports where expires_at <= $1 limit 1", now)?;
        Ok(row.is_some())
    }

    /// Deletes some rows of an expired export, at the end the export itself. Returns the number of deleted rows.
    async fn remove_expired_export_batch(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        // On PostgreSQL this locks the export, so that several instances work alternately.
        let expired = fetch_optional!(
            self.tx,
            (ExportId,),
            "update exports set expires_at = 0 where expires_at <= $1
               and id = (select id from exports where expires_at <= $1 order by id limit 1) returning id",
            now,
        )?;
        let Some((id,)) = expired else { return Ok(0) };
        let chunks = self.remove_export_chunk_batch(id, None).await?;
        if chunks > 0 {
            return Ok(chunks);
        }
        Ok(execute!(self.tx, "delete from exports where id = $1", id)?)
    }

    /// Deletes some chunks of an export. With a lease, only while that lease is current: a worker that was suspended
    /// must not delete the chunks of its successor.
    async fn remove_export_chunk_batch(&mut self, id: ExportId, lease: Option<Uuid>) -> Result<u64, StoreError> {
        Ok(execute!(
            self.tx,
            "delete from export_pieces where export_id = $1
               and position in (select position from export_pieces where export_id = $1 limit $2)
               and ($3 is null or exists (select 1 from jobs where kind = 'build_export' and subject_id = $1 and lease = $3))",
            id,
            CHUNKS_PER_STEP,
            lease,
        )?)
    }

    /// Marks an export as being built; `None` if it is already built, expired or deleted.
    pub async fn begin_export(&mut self, id: ExportId, now: Timestamp) -> Result<Option<ExportRow>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            ExportRow,
            "update exports set state = 'working', done = 0
             where id = $1 and expires_at > $2 and state <> 'ready' returning id, user_id, expires_at",
            id,
            now,
        )?)
    }

    /// Stores the progress of an export: the number of exported chats and of all chats.
    pub async fn update_export_progress(&mut self, id: ExportId, (done, total): (i64, i64)) -> Result<(), StoreError> {
        execute!(self.tx, "update exports set done = $2, total = $3 where id = $1", id, done, total)?;
        Ok(())
    }

    /// Inserts a chunk of an export.
    pub async fn insert_export_chunk(&mut self, id: ExportId, position: i64, bytes: &[u8]) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into export_pieces (export_id, position, bytes) values ($1, $2, $3)",
            id,
            position,
            bytes
        )?;
        Ok(())
    }

    /// Marks an export as ready. `bytes` is the size of the file.
    pub async fn finish_export(&mut self, id: ExportId, bytes: i64, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "update exports set state = 'ready', bytes = $2, ready_at = $3, done = total where id = $1",
            id,
            bytes,
            now,
        )?;
        Ok(())
    }
}
