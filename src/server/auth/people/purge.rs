//! The deletion of accounts whose day of grace is over.
//!
//! An account goes in three steps. First it is shut and its answers are stopped, so that nothing is written for it any more.
//! Then what there may be much of is deleted in slices, so that nobody waits for the database meanwhile. In the end the rest
//! goes in one transaction with the account, which is kept only where nothing names the person any more. Whatever breaks
//! off in between is gone on with at the next look, by whichever instance comes first.

use std::time::Duration;

use uuid::Uuid;

use crate::{
    domain::{AuditAction, Outcome, Receipt, UserId},
    server::{
        auth::{Accounts, Origin, origin::Act},
        fault::Fault,
        mail::Letter,
        store::{DueDeletion, ReceiptRow},
    },
};

/// Time between two looks for accounts whose time has come.
const PERIOD: Duration = Duration::from_secs(60);
/// Time between two looks while answers are being stopped.
const SHORT_PERIOD: Duration = Duration::from_secs(2);
/// Seconds that answers have to stop. A worker that is gone by then writes nothing any more.
const PATIENCE_SECONDS: i64 = 600;
/// Receipts that administrators see.
const RECEIPTS: u32 = 50;

/// Something of a person was left; what, stands in it: tables and columns.
#[derive(Debug, thiserror::Error)]
#[error("an account was not deleted, because the purge leaves traces of it in {0}")]
struct TracesLeft(String);

/// How the deletion of one account went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purged {
    Done,
    /// Answers are still being stopped.
    Waits,
    /// Another instance was first, or it was undone.
    Gone,
}

/// How a look for accounts whose time has come went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Accounts that were deleted.
    pub done: usize,
    /// Accounts whose answers are still being stopped.
    pub waiting: usize,
    /// Accounts that could not be deleted; why stands in the log.
    pub failed: usize,
}

impl Accounts {
    /// Deletes the accounts whose time has come. Of several instances that do so at once, one does it with each.
    ///
    /// # Errors
    /// As the database says. What goes wrong with one account does not keep the others.
    pub async fn carry_out_deletions(&self) -> Result<Deleted, Fault> {
        let mut deleted = Deleted::default();
        let due = self.store.read().await?.list_due_deletions(self.clock.now()).await?;
        for user in due {
            match self.delete_account(user).await {
                Ok(Purged::Done) => deleted.done += 1,
                Ok(Purged::Waits) => deleted.waiting += 1,
                Ok(Purged::Gone) => {}
                Err(fault) => {
                    tracing::error!(%fault, %user, "an account could not be deleted; the next look tries again");
                    deleted.failed += 1;
                }
            }
        }
        if deleted.done > 0 {
            tracing::info!(count = deleted.done, "accounts were deleted");
            self.store.checkpoint().await?;
        }
        Ok(deleted)
    }

    async fn delete_account(&self, user: UserId) -> Result<Purged, Fault> {
        let Some((due, open_runs)) = self.shut(user).await? else { return Ok(Purged::Gone) };
        let is_late = due.deletion_at.plus_seconds(PATIENCE_SECONDS) < self.clock.now();
        if open_runs > 0 && !is_late {
            return Ok(Purged::Waits);
        }
        self.store.purge_much(&due).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        // Before the row of the account, as everywhere where both are locked.
        tx.lock_administrators().await?;
        let Some(due) = tx.take_due_deletion(user, now).await? else { return Ok(Purged::Gone) };
        let counts = tx.purge(&due).await?;
        let traces = tx.find_traces(&due).await?;
        if !traces.is_empty() {
            // Nothing of this step is kept: the transaction ends here.
            return Err(Fault::internal(TracesLeft(traces.join(", "))));
        }
        let action = AuditAction::DeleteAccount;
        let act = Act { actor: None, subject: Some(user), action, outcome: Outcome::Done, detail: "" };
        Origin::server().write(&mut tx, &self.clock, &act).await?;
        let receipt = ReceiptRow {
            id: Uuid::new_v4(),
            asked_at: due.deletion_asked_at,
            done_at: now,
            counts: serde_json::to_string(&counts).map_err(Fault::internal)?,
        };
        tx.insert_receipt(&receipt).await?;
        // The last mail is the one thing that still names the address. It goes with all mails that were sent, in a week.
        let letter = Letter::deleted(&receipt.id.to_string(), receipt.asked_at, now, &words(&receipt.counts));
        self.post(&mut tx, &due.email, &letter).await?;
        tx.commit().await?;
        Ok(Purged::Done)
    }

    /// Lets nobody in any more, and has all answers stop. Gives what is to be deleted, and how many answers are still being
    /// written; `None` where its time has not come, or it is gone.
    async fn shut(&self, user: UserId) -> Result<Option<(DueDeletion, u64)>, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        // Before the row of the account, as everywhere where both are locked.
        tx.lock_administrators().await?;
        let Some(due) = tx.take_due_deletion(user, now).await? else { return Ok(None) };
        tx.update_disabled(user, Some(now)).await?;
        self.end_everything(&mut tx, user).await?;
        tx.owned_by(user).note_deletion_begun().await?;
        let open_runs = tx.owned_by(user).stop_all_runs().await?;
        tx.commit().await?;
        Ok(Some((due, open_runs)))
    }

    /// The newest receipts of deleted accounts.
    pub(super) async fn list_receipts(&self) -> Result<Vec<Receipt>, Fault> {
        let rows = self.store.read().await?.list_receipts(RECEIPTS).await?;
        let shown = |row: ReceiptRow| Receipt {
            id: row.id.to_string(),
            asked_at: row.asked_at,
            done_at: row.done_at,
            counts: words(&row.counts),
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    /// Deletes what is due, again and again.
    pub async fn watch_deletions(self) {
        loop {
            let pause = match self.carry_out_deletions().await {
                Ok(Deleted { waiting: 1.., .. }) => SHORT_PERIOD,
                Ok(_) => PERIOD,
                Err(fault) => {
                    tracing::error!(%fault, "accounts could not be deleted; the next look tries again");
                    PERIOD
                }
            };
            tokio::time::sleep(pause).await;
        }
    }
}

/// What was deleted, for people: `2 chats, 1 factor`.
fn words(counts: &str) -> String {
    let counts: std::collections::BTreeMap<String, u64> = serde_json::from_str(counts).unwrap_or_default();
    let word = |(table, count): (&String, &u64)| {
        let name = table.replace('_', " ");
        let name = if *count == 1 { name.trim_end_matches('s') } else { name.as_str() };
        format!("{count} {name}")
    };
    counts.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::Counts;

    #[test]
    fn counts_are_told_in_words() {
        let counts = Counts::from([("chats", 2), ("sign_ins", 1), ("users", 1)]);
        let text = serde_json::to_string(&counts).expect("JSON");
        assert_eq!(words(&text), "2 chats, 1 sign in, 1 user");
    }
}
