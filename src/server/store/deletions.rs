//! Scheduled deletions of accounts, and receipts of completed deletions.

use uuid::Uuid;

use super::{
    Admin, Engine, Owned, StoreError,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{JobKind, Timestamp, UserId};

/// An account whose deletion is due.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DueDeletion {
    /// The user's id.
    pub id: UserId,
    /// The e-mail address as entered.
    pub email: String,
    /// The normalized e-mail address.
    pub email_key: String,
    /// When the deletion was requested.
    pub deletion_asked_at: Timestamp,
    /// When the deletion was due.
    pub deletion_at: Timestamp,
}

/// The anonymous receipt of a deleted account, which does not identify its owner.
#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ReceiptRow {
    /// The receipt's id, which is used nowhere else.
    pub id: Uuid,
    /// When the deletion was requested.
    pub asked_at: Timestamp,
    /// When the account was deleted.
    pub done_at: Timestamp,
    /// The number of deleted rows by table, as a JSON object.
    pub counts: String,
}

impl Owned<'_> {
    /// When the owner's account will be deleted, if a deletion is scheduled.
    pub async fn find_deletion(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let row =
            fetch_optional!(self.tx, (Option<Timestamp>,), "select deletion_at from users where id = $1", self.owner)?;
        Ok(row.and_then(|(at,)| at))
    }

    /// Schedules the deletion of the owner's account and its job; `false` if it is already scheduled.
    pub async fn begin_deletion(&mut self, now: Timestamp, due_at: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update users set deletion_asked_at = $2, deletion_at = $3 where id = $1 and deletion_at is null",
            self.owner,
            now,
            due_at,
        )?;
        if changed == 1 {
            self.tx.enqueue(JobKind::DeleteAccount, self.owner.uuid(), due_at, now).await?;
        }
        Ok(changed == 1)
    }

    /// Cancels the scheduled deletion of the owner's account, and enables the account if it was disabled together with
    /// the request; `false` if no deletion is scheduled, it is already due, or rows are being deleted.
    pub async fn withdraw_deletion(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let changed = execute!(
            self.tx,
            "update users set disabled_at = case when disabled_at = deletion_asked_at then null else disabled_at end,
                              deletion_asked_at = null, deletion_at = null
             where id = $1 and deletion_at > $2 and not deletion_begun",
            self.owner,
            now,
        )?;
        if changed == 1 {
            self.tx.engine().cancel_job(JobKind::DeleteAccount, self.owner.uuid()).await?;
        }
        Ok(changed == 1)
    }

    /// Marks that the purge of the owner's rows has begun. After that, the deletion cannot be cancelled.
    pub async fn mark_deletion_begun(&mut self) -> Result<(), StoreError> {
        execute!(self.tx, "update users set deletion_begun = true where id = $1", self.owner)?;
        Ok(())
    }

    /// Requests a stop of all open runs of the owner. Returns their number.
    pub async fn stop_all_runs(&mut self) -> Result<u64, StoreError> {
        Ok(execute!(
            self.tx,
            "update runs set stop_requested = true where owner_id = $1 and state <> 'ended'",
            self.owner
        )?)
    }

    /// Locks and returns an account whose deletion is due. Other transactions wait until this one ends.
    pub async fn lock_due_deletion(&mut self, now: Timestamp) -> Result<Option<DueDeletion>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            DueDeletion,
            "update users set deletion_at = deletion_at where id = $1 and deletion_at <= $2
             returning id, email, email_key, deletion_asked_at, deletion_at",
            self.owner,
            now,
        )?)
    }
}

impl Admin<'_> {
    /// The `limit` newest receipts.
    pub async fn list_receipts(&mut self, limit: u32) -> Result<Vec<ReceiptRow>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            ReceiptRow,
            "select id, asked_at, done_at, counts from deletions order by done_at desc, id desc limit $1",
            i64::from(limit),
        )?)
    }
}

impl Engine<'_> {
    /// Inserts a receipt.
    pub async fn insert_receipt(&mut self, receipt: &ReceiptRow) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into deletions (id, asked_at, done_at, counts) values ($1, $2, $3, $4)",
            receipt.id,
            receipt.asked_at,
            receipt.done_at,
            &receipt.counts,
        )?;
        Ok(())
    }
}
