//! Second factors that are said to be lost, and wait for their removal.

use super::{
    Owned, StoreError, Tx,
    db::{execute, fetch_optional},
};
use crate::domain::{JobKind, Timestamp, UserId};

/// A removal whose notice is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct DueRemoval {
    /// Whose factors.
    pub user_id: UserId,
    /// The administrator who asked; `None` where that account is gone.
    pub asked_by: Option<UserId>,
}

impl Owned<'_> {
    /// Notes that the owner's factors are to be removed; `false` where that is noted already.
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

    /// When the owner's factors are to be removed, if they are.
    pub async fn find_factor_removal(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let row = fetch_optional!(
            self.tx,
            (Timestamp,),
            "select due_at from factor_removals where user_id = $1",
            self.owner
        )?;
        Ok(row.map(|(due_at,)| due_at))
    }

    /// The owner's factors stay; `false` where nothing else was noted.
    pub async fn delete_factor_removal(&mut self) -> Result<bool, StoreError> {
        // The removal before its job, as the job does it.
        if execute!(self.tx, "delete from factor_removals where user_id = $1", self.owner)? == 0 {
            return Ok(false);
        }
        self.tx.cancel_job(JobKind::RemoveFactors, self.owner.uuid()).await?;
        Ok(true)
    }

    /// Removes all of the owner's factors with the recovery codes. Gives how many factors had been confirmed.
    pub async fn delete_factors(&mut self) -> Result<u64, StoreError> {
        self.delete_unconfirmed_factors().await?;
        let deleted = execute!(self.tx, "delete from factors where user_id = $1", self.owner)?;
        self.replace_recovery_codes(&[]).await?;
        Ok(deleted)
    }
}

impl Tx {
    /// Takes the removal of a person's factors, if its notice is over. Of several instances that ask, one is given it.
    pub async fn take_due_factor_removal(
        &mut self,
        user: UserId,
        now: Timestamp,
    ) -> Result<Option<DueRemoval>, StoreError> {
        Ok(fetch_optional!(
            self,
            DueRemoval,
            "delete from factor_removals where user_id = $1 and due_at <= $2 returning user_id, asked_by",
            user,
            now,
        )?)
    }
}
