//! Purges accounts whose grace period is over.
//!
//! An account is deleted in three steps. First it is disabled and its running answers are stopped, so that nothing more
//! is written for it. Then the large tables are deleted in batches, so that others do not wait for the database.
//! Finally the rest and the account itself are deleted in one transaction, which is rolled back if any row still refers
//! to the user. An interrupted purge is continued by the next run, on any instance.

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
        mail::MailContent,
        store::{DueDeletion, ReceiptRow},
    },
};

/// Seconds between two checks whether the answers have stopped.
const STOP_POLL_SECONDS: i64 = 2;
/// How long answers may take to stop, in seconds. A worker that has not stopped by then is gone and writes nothing
/// more.
const STOP_TIMEOUT_SECONDS: i64 = 600;
/// Maximum number of receipts shown to administrators.
const MAX_RECEIPTS: u32 = 50;

/// Rows of the user are left; contains their tables and columns.
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
        let Some((due, open_runs)) = self.disable_account(user).await? else {
            return self.outcome_if_not_due(user).await;
        };
        let is_late = due.deletion_at.plus_seconds(STOP_TIMEOUT_SECONDS) < self.clock.now();
        if open_runs > 0 && !is_late {
            return Ok(jobs::Outcome::NotYet(self.clock.now().plus_seconds(STOP_POLL_SECONDS)));
        }
        self.store.purge_large_tables(&due).await?;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        // Lock order: before the row of the account.
        tx.admin().lock_administrators().await?;
        let Some(due) = tx.owned_by(user).lock_due_deletion(now).await? else { return Ok(jobs::Outcome::Done) };
        run.finish(&mut tx).await?;
        // After the purge, no account has the address any more.
        let language = self.notifier.language_of(&mut tx, &due.email, Language::default()).await?;
        let counts = tx.engine().purge(&due).await?;
        let traces = tx.engine().find_traces(&due).await?;
        if !traces.is_empty() {
            // The transaction is dropped here, which rolls this step back.
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
        tx.engine().insert_receipt(&receipt).await?;
        // The last mail is the only row that still contains the address. It is deleted with all sent mails, after a
        // week.
        let (id, asked_at) = (receipt.id.to_string(), receipt.asked_at);
        let write = |texts| MailContent::deleted(texts, &id, asked_at, now, &describe_counts(texts, &counts));
        self.notifier.enqueue_to_address(&mut tx, &due.email, language, write).await?;
        tx.commit().await?;
        self.store.checkpoint().await?;
        Ok(jobs::Outcome::Done)
    }

    /// Another instance has deleted the account, the deletion was cancelled, or it is not due yet.
    async fn outcome_if_not_due(&self, user: UserId) -> Result<jobs::Outcome, Fault> {
        let at = self.store.read().await?.owned_by(user).find_deletion().await?;
        Ok(at.filter(|at| *at > self.clock.now()).map_or(jobs::Outcome::Done, jobs::Outcome::NotYet))
    }

    /// Disables the account and stops its running answers. Returns the due deletion, and how many answers are still
    /// being written; `None` if no deletion is due.
    async fn disable_account(&self, user: UserId) -> Result<Option<(DueDeletion, u64)>, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        // Lock order: before the row of the account.
        tx.admin().lock_administrators().await?;
        let Some(due) = tx.owned_by(user).lock_due_deletion(now).await? else { return Ok(None) };
        tx.admin().update_disabled(user, Some(now)).await?;
        self.accounts.revoke_sign_ins(&mut tx, user).await?;
        tx.admin().delete_invitations_of(user, now).await?;
        tx.owned_by(user).mark_deletion_begun().await?;
        let open_runs = tx.owned_by(user).stop_all_runs().await?;
        tx.commit().await?;
        Ok(Some((due, open_runs)))
    }

    /// The newest receipts of deleted accounts.
    pub async fn list_receipts(&self, texts: &Texts) -> Result<Vec<Receipt>, Fault> {
        let rows = self.store.read().await?.admin().list_receipts(MAX_RECEIPTS).await?;
        // A receipt that cannot be parsed is logged, and does not prevent the others from being listed.
        let to_receipt = |row: ReceiptRow| {
            let counts =
                parse_counts(&row.counts).map(|counts| describe_counts(texts, &counts)).unwrap_or_else(|fault| {
                    tracing::error!(%fault, receipt = %row.id, "cannot parse the counts of a deletion receipt");
                    t!(in texts, "mail.rows.unreadable").to_owned()
                });
            Receipt { id: row.id.to_string(), asked_at: row.asked_at, done_at: row.done_at, counts }
        };
        Ok(rows.into_iter().map(to_receipt).collect())
    }
}

/// The name of a table's rows for users: a text with plural forms.
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

/// Parses the counts of a receipt.
///
/// # Errors
/// If they are not in the format of [`Engine::purge`](crate::server::store::Engine::purge).
fn parse_counts(counts: &str) -> Result<BTreeMap<String, u64>, Fault> {
    serde_json::from_str(counts).map_err(Fault::internal)
}

/// The deleted rows as text: `2 chats, 1 second factor`.
fn describe_counts(texts: &Texts, counts: &BTreeMap<impl AsRef<str>, u64>) -> String {
    let descriptions = counts.iter().map(|(table, count)| match row_name(table.as_ref()) {
        Some(name) => texts.format(name, &[("count", count)]),
        // A table of a newer version.
        None => t!(in texts, "mail.rows.of_table", number = count, table = table.as_ref().replace('_', " ")),
    });
    descriptions.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store::{Counts, ID_COLUMNS, IdKind};

    fn describe_counts(counts: &str) -> String {
        super::describe_counts(Language::default().texts(), &parse_counts(counts).expect("counts"))
    }

    #[test]
    fn counts_are_described_as_text() {
        let counts = Counts::from([("chats", 2), ("sign_ins", 1), ("users", 1)]);
        let text = serde_json::to_string(&counts).expect("JSON");
        assert_eq!(describe_counts(&text), "2 chats, 1 device, 1 account");
        let german = Language::from_tag("de").expect("a language");
        assert_eq!(super::describe_counts(german.texts(), &counts), "2 Chats, 1 Gerät, 1 Konto");
    }

    #[test]
    fn every_table_with_user_rows_has_singular_and_plural_names() {
        let owned = ID_COLUMNS.iter().filter(|(_, _, holds)| *holds == IdKind::Owner).map(|(table, ..)| *table);
        for table in owned.chain(["sessions", "mails", "throttles", "links"]) {
            assert!(row_name(table).is_some(), "no words for {table}");
            for language in Language::all() {
                let describe = |count| super::describe_counts(language.texts(), &Counts::from([(table, count)]));
                let (one, several) = (describe(1), describe(2));
                assert!(one.starts_with("1 ") && several.starts_with("2 ") && one[2..] != several[2..], "{several}");
            }
        }
        assert_eq!(
            describe_counts("{\"identities\":1,\"ceremonies\":1}"),
            "1 unfinished passkey request, 1 connected account"
        );
        assert_eq!(describe_counts("{\"new_things\":1}"), "1 in new things");
    }

    #[test]
    fn malformed_counts_are_an_error() {
        for bad in ["", "{", "[]", "{\"chats\":\"many\"}", "{\"chats\":-1}"] {
            assert!(parse_counts(bad).is_err(), "{bad}");
        }
    }
}
