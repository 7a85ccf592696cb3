//! The deletion of accounts whose day of grace is over.
//!
//! An account goes in three steps. First it is shut and its answers are stopped, so that nothing is written for it any more.
//! Then what there may be much of is deleted in slices, so that nobody waits for the database meanwhile. In the end the rest
//! goes in one transaction with the account, which is kept only where nothing names the person any more. Whatever breaks
//! off in between is gone on with at the next look, by whichever instance comes first.

use std::collections::BTreeMap;

use futures::{FutureExt, future::BoxFuture};
use uuid::Uuid;

use super::Privacy;
use crate::{
    domain::{AuditAction, JobKind, Outcome, Receipt, UserId},
    i18n::{Key, Language, Texts},
    server::{
        audit::{AuditEvent, RequestMeta},
        fault::Fault,
        jobs::{self, Handler, Policy, Run},
        mail::Letter,
        store::{DueDeletion, ReceiptRow},
    },
};

/// Seconds between two looks whether answers have stopped.
const STOP_SECONDS: i64 = 2;
/// Seconds that answers have to stop. A worker that is gone by then writes nothing any more.
const PATIENCE_SECONDS: i64 = 600;
/// Receipts that administrators see.
const RECEIPTS: u32 = 50;

/// Something of a person was left; what, stands in it: tables and columns.
#[derive(Debug, thiserror::Error)]
#[error("an account was not deleted, because the purge leaves traces of it in {0}")]
struct TracesLeft(String);

/// The job that deletes an account.
pub struct DeleteAccount(pub Privacy);

impl Handler for DeleteAccount {
    fn policy(&self) -> Policy {
        Policy::new(JobKind::DeleteAccount)
    }

    fn run<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Result<jobs::Outcome, Fault>> {
        self.0.delete_account(run).boxed()
    }
}

impl Privacy {
    async fn delete_account(&self, run: &Run) -> Result<jobs::Outcome, Fault> {
        let user = UserId::from_uuid(run.subject());
        let Some((due, open_runs)) = self.shut(user).await? else { return self.not_due(user).await };
        let is_late = due.deletion_at.plus_seconds(PATIENCE_SECONDS) < self.clock.now();
        if open_runs > 0 && !is_late {
            return Ok(jobs::Outcome::NotYet(self.clock.now().plus_seconds(STOP_SECONDS)));
        }
        self.store.purge_much(&due).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        // Before the row of the account, as everywhere where both are locked.
        tx.lock_administrators().await?;
        let Some(due) = tx.take_due_deletion(user, now).await? else { return Ok(jobs::Outcome::Done) };
        run.finish(&mut tx).await?;
        // After the purge no account has the address any more.
        let language = self.notices.language_of(&mut tx, &due.email, Language::default()).await?;
        let counts = tx.purge(&due).await?;
        let traces = tx.find_traces(&due).await?;
        if !traces.is_empty() {
            // Nothing of this step is kept: the transaction ends here.
            return Err(Fault::internal(TracesLeft(traces.join(", "))));
        }
        let action = AuditAction::DeleteAccount;
        let event = AuditEvent { actor: None, subject: Some(user), action, outcome: Outcome::Done, detail: "" };
        RequestMeta::server().record(&mut tx, &self.clock, &event).await?;
        let receipt = ReceiptRow {
            id: Uuid::new_v4(),
            asked_at: due.deletion_asked_at,
            done_at: now,
            counts: serde_json::to_string(&counts).map_err(Fault::internal)?,
        };
        tx.insert_receipt(&receipt).await?;
        // The last mail is the one thing that still names the address. It goes with all mails that were sent, in a week.
        let (id, asked_at) = (receipt.id.to_string(), receipt.asked_at);
        let write = |texts| Letter::deleted(texts, &id, asked_at, now, &words(texts, &counts));
        self.notices.post_to_anybody(&mut tx, &due.email, language, write).await?;
        tx.commit().await?;
        self.store.checkpoint().await?;
        Ok(jobs::Outcome::Done)
    }

    /// Another instance was first, or it was undone, or its time has not come.
    async fn not_due(&self, user: UserId) -> Result<jobs::Outcome, Fault> {
        let at = self.store.read().await?.owned_by(user).find_deletion().await?;
        Ok(at.filter(|at| *at > self.clock.now()).map_or(jobs::Outcome::Done, jobs::Outcome::NotYet))
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
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        tx.delete_invitations_of(user, now).await?;
        tx.owned_by(user).note_deletion_begun().await?;
        let open_runs = tx.owned_by(user).stop_all_runs().await?;
        tx.commit().await?;
        Ok(Some((due, open_runs)))
    }

    /// The newest receipts of deleted accounts.
    pub async fn list_receipts(&self, texts: &Texts) -> Result<Vec<Receipt>, Fault> {
        let rows = self.store.read().await?.list_receipts(RECEIPTS).await?;
        // One that cannot be read is told of in the log and does not keep the others from being shown.
        let shown = |row: ReceiptRow| {
            let counts = read_counts(&row.counts).map(|counts| words(texts, &counts)).unwrap_or_else(|fault| {
                tracing::error!(%fault, receipt = %row.id, "the counts of a deletion cannot be read");
                t!(in texts, "mail.rows.unreadable").to_owned()
            });
            Receipt { id: row.id.to_string(), asked_at: row.asked_at, done_at: row.done_at, counts }
        };
        Ok(rows.into_iter().map(shown).collect())
    }
}

/// What rows of a table are for people, as a text that a number chooses the form of.
fn row_name(table: &str) -> Option<Key> {
    Some(match table {
        "runs" => key!("mail.rows.runs"),
        "messages" => key!("mail.rows.messages"),
        "chats" => key!("mail.rows.chats"),
        "recovery_codes" => key!("mail.rows.recovery_codes"),
        "factors" => key!("mail.rows.factors"),
        "factor_removals" => key!("mail.rows.factor_removals"),
        "pending_sign_ins" => key!("mail.rows.pending_sign_ins"),
        "ceremonies" => key!("mail.rows.ceremonies"),
        "provider_flows" => key!("mail.rows.provider_flows"),
        "identities" => key!("mail.rows.identities"),
        "links" => key!("mail.rows.links"),
        "sign_ins" => key!("mail.rows.sign_ins"),
        "pictures" => key!("mail.rows.pictures"),
        "exports" => key!("mail.rows.exports"),
        "users" => key!("mail.rows.users"),
        "jobs" => key!("mail.rows.jobs"),
        "deletion_counts" => key!("mail.rows.deletion_counts"),
        "sessions" => key!("mail.rows.sessions"),
        "mails" => key!("mail.rows.mails"),
        "throttles" => key!("mail.rows.throttles"),
        _ => return None,
    })
}

/// The counts of a receipt.
///
/// # Errors
/// Where they are not what [`Tx::purge`](crate::server::store::Tx::purge) gives.
fn read_counts(counts: &str) -> Result<BTreeMap<String, u64>, Fault> {
    serde_json::from_str(counts).map_err(Fault::internal)
}

/// What was deleted, for people: `2 chats, 1 second factor`.
fn words(texts: &Texts, counts: &BTreeMap<impl AsRef<str>, u64>) -> String {
    let words = counts.iter().map(|(table, count)| match row_name(table.as_ref()) {
        Some(name) => texts.format(name, &[("count", count)]),
        // Of a table of a newer version.
        None => t!(in texts, "mail.rows.of_table", number = count, table = table.as_ref().replace('_', " ")),
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::{Counts, Holds, ID_COLUMNS};

    fn words(counts: &str) -> String {
        super::words(Language::default().texts(), &read_counts(counts).expect("counts"))
    }

    #[test]
    fn counts_are_told_in_words() {
        let counts = Counts::from([("chats", 2), ("sign_ins", 1), ("users", 1)]);
        let text = serde_json::to_string(&counts).expect("JSON");
        assert_eq!(words(&text), "2 chats, 1 sign-in, 1 account");
        let german = Language::from_tag("de").expect("a language");
        assert_eq!(super::words(german.texts(), &counts), "2 Chats, 1 Anmeldung, 1 Konto");
    }

    #[test]
    fn each_table_that_a_person_has_rows_in_has_a_word_for_one_and_for_several() {
        let owned = ID_COLUMNS.iter().filter(|(_, _, holds)| *holds == Holds::Owner).map(|(table, ..)| *table);
        for table in owned.chain(["sessions", "mails", "throttles", "links"]) {
            assert!(row_name(table).is_some(), "no words for {table}");
            for language in Language::all() {
                let told = |count| super::words(language.texts(), &Counts::from([(table, count)]));
                let (one, several) = (told(1), told(2));
                assert!(one.starts_with("1 ") && several.starts_with("2 ") && one[2..] != several[2..], "{several}");
            }
        }
        assert_eq!(words("{\"identities\":1,\"ceremonies\":1}"), "1 passkey ceremony, 1 provider identity");
        assert_eq!(words("{\"new_things\":1}"), "1 of new things");
    }

    #[test]
    fn counts_that_cannot_be_read_are_a_fault() {
        for bad in ["", "{", "[]", "{\"chats\":\"many\"}", "{\"chats\":-1}"] {
            assert!(read_counts(bad).is_err(), "{bad}");
        }
    }
}
