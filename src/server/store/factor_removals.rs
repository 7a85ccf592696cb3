//! Scheduled removals of lost second factors.

use super::{
    Owned, StoreError,
    db::{execute, fetch_optional},
};
use crate::domain::{JobKind, Timestamp, UserId};

/// A removal whose waiting period is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct DueRemoval {
    /// The owner of the factors.
    pub user_id: UserId,
    /// The administrator who requested it; `None` if that account was deleted.
    pub asked_by: Option<UserId>,
}

impl Owned<'_> {
    /// Schedules the removal of the owner's factors and its job; `false` if it is already scheduled.
    pub async fn insert_factor_removal(
        &mut self,
        asked_by: UserId,
        now: Timestamp,
        due_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let inserted = execute!(
            self.tx,
            "insert into factor_removals (user_id, asked_by, created_at, due_at) values ($1, $2, $3, $4)
             on conflict (user_id) do nothing",
            self.owner,
            asked_by,
            now,
            due_at,
        )?;
        if inserted == 1 {
            self.tx.enqueue(JobKind::RemoveFactors, self.owner.uuid(), due_at, now).await?;
        }
        Ok(inserted == 1)
    }

    /// When the owner's factors will be removed, if a removal is scheduled.
    pub async fn find_factor_removal(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (Timestamp,),
            "select due_at from factor_removals where user_id = $1",
            self.owner
        )?;
        Ok(row.map(|(due_at,)| due_at))
    }

    /// Cancels the scheduled removal of the owner's factors; `false` if there is none.
    pub async fn delete_factor_removal(&mut self) -> Result<bool, StoreError> {
        // Deletes the removal before its job, in the same lock order as the job.
        if execute!(self.tx, "delete from factor_removals where user_id = $1", self.owner)? == 0 {
            return Ok(false);
        }
        self.tx.engine().cancel_job(JobKind::RemoveFactors, self.owner.uuid()).await?;
        Ok(true)
    }

    /// Deletes all factors and recovery codes of the owner. Returns the number of confirmed factors.
    pub async fn delete_factors(&mut self) -> Result<u64, StoreError> {
        self.delete_unconfirmed_factors().await?;
        let deleted = execute!(self.tx, "delete from factors where user_id = $1", self.owner)?;
        self.replace_recovery_codes(&[]).await?;
        Ok(deleted)
    }

    /// Deletes and returns the scheduled removal of a user's factors, if it is due. Of several instances, only one gets
    /// it.
    pub async fn take_due_factor_removal(&mut self, now: Timestamp) -> Result<Option<DueRemoval>, StoreError> {
        Ok(fetch_optional!(
            self.tx,
            DueRemoval,
            "delete from factor_removals where user_id = $1 and due_at <= $2 returning user_id, asked_by",
            self.owner,
            now,
        )?)
    }
}
