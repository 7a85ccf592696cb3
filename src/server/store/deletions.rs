//! Accounts that wait for their deletion, and the receipts of those that are gone.

use uuid::Uuid;

use super::{
    Owned, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::{JobKind, Timestamp, UserId};

/// An account whose time has come.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DueDeletion {
    /// Whose.
    pub id: UserId,
    /// The address as it was given.
    pub email: String,
    /// The spelling under which it is unique.
    pub email_key: String,
    /// When it was asked for.
    pub deletion_asked_at: Timestamp,
    /// When it was due.
    pub deletion_at: Timestamp,
}

/// What is left of a deleted account: nothing that says whose it was.
#[derive(Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ReceiptRow {
    /// The receipt's id, which belongs to nothing else.
    pub id: Uuid,
    /// When the deletion was asked for.
    pub asked_at: Timestamp,
    /// When it was done.
    pub done_at: Timestamp,
    /// How many rows of which table, as a JSON object.
    pub counts: String,
}

impl Owned<'_> {
    /// When the owner's account is deleted, if it is to be.
    pub async fn find_deletion(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let row =
            fetch_optional!(self.tx, (Option<Timestamp>,), "select deletion_at from users where id = $1", self.owner)?;
        Ok(row.and_then(|(at,)| at))
    }

    /// Notes that the owner's account is to be deleted; `false` where that is noted already.
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

    /// The owner's account stays, and is open again if it was shut with the wish to delete it; `false` where there is no
    /// such wish, or its time has come, or rows of it are being deleted.
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
            self.tx.cancel_job(JobKind::DeleteAccount, self.owner.uuid()).await?;
        }
        Ok(changed == 1)
    }

    /// Notes that rows of the owner are being deleted: from now on the account cannot be kept.
    pub async fn note_deletion_begun(&mut self) -> Result<(), StoreError> {
        execute!(self.tx, "update users set deletion_begun = true where id = $1", self.owner)?;
        Ok(())
    }

    /// Asks all open runs of the owner to stop. Gives how many there are.
    pub async fn stop_all_runs(&mut self) -> Result<u64, StoreError> {
        Ok(execute!(
            self.tx,
            "update runs set stop_requested = true where owner_id = $1 and state <> 'ended'",
            self.owner
        )?)
    }
}

impl Tx {
    /// Takes an account whose time has come. Others that want it wait until this transaction ends, and find it gone.
    pub async fn take_due_deletion(&mut self, user: UserId, now: Timestamp) -> Result<Option<DueDeletion>, StoreError> {
        Ok(fetch_optional!(
            self,
            DueDeletion,
            "update users set deletion_at = deletion_at where id = $1 and deletion_at <= $2
             returning id, email, email_key, deletion_asked_at, deletion_at",
            user,
            now,
        )?)
    }

    /// Writes a receipt.
    pub async fn insert_receipt(&mut self, receipt: &ReceiptRow) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into deletions (id, asked_at, done_at, counts) values ($1, $2, $3, $4)",
            receipt.id,
            receipt.asked_at,
            receipt.done_at,
            &receipt.counts,
        )?;
        Ok(())
    }

    /// The newest receipts.
    pub async fn list_receipts(&mut self, limit: u32) -> Result<Vec<ReceiptRow>, StoreError> {
        Ok(fetch_all!(
            self,
            ReceiptRow,
            "select id, asked_at, done_at, counts from deletions order by done_at desc, id desc limit $1",
            i64::from(limit),
        )?)
    }
}
