//! Deletes all data of a user, and checks that nothing is left.
//!
//! [`ID_COLUMNS`] lists every column of the schema that contains ids, with its meaning for a deletion. A test compares
//! the list with both databases, and fails for a new table that is not listed.

use super::{
    DueDeletion, Engine, StoreError,
    db::{execute, fetch_optional},
    purge_batches::{ACTOR_DATA, Counts, SUBJECT_DATA},
};

/// What the ids of a column refer to, and what a purge does with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// The user who owns the row: the row is deleted.
    Owner,
    /// A user who is mentioned in another row: the id is set to null.
    Mention,
    /// A user in the audit log: the id stays, which then refers to no account, and personal data is blanked.
    Audit,
    /// Not a user.
    Other,
}
use IdKind::{Audit, Mention, Other, Owner};

/// Every column that contains ids: table, column, kind of id. Rows are deleted in this order.
pub const ID_COLUMNS: &[(&str, &str, IdKind)] = &[
    ("runs", "owner_id", Owner),
    ("messages", "owner_id", Owner),
    ("chats", "owner_id", Owner),
    ("recovery_codes", "user_id", Owner),
    ("factors", "user_id", Owner),
    ("factor_removals", "user_id", Owner),
    ("pending_sign_ins", "user_id", Owner),
    ("ceremonies", "user_id", Owner),
    ("provider_flows", "user_id", Owner),
    ("identities", "user_id", Owner),
    ("links", "user_id", Owner),
    ("links", "created_by", Owner),
    ("sessions", "user_id", Owner),
    ("sign_ins", "user_id", Owner),
    ("pictures", "user_id", Owner),
    ("exports", "user_id", Owner),
    ("deletion_counts", "user_id", Owner),
    ("jobs", "subject_id", Owner),
    ("users", "id", Owner),
    ("installation", "administrator_id", Mention),
    ("factor_removals", "asked_by", Mention),
    ("audit", "actor_id", Audit),
    ("audit", "subject_id", Audit),
    ("audit", "id", Other),
    ("ceremonies", "id", Other),
    ("chats", "id", Other),
    ("chats", "head_id", Other),
    ("deletions", "id", Other),
    ("exports", "id", Other),
    ("export_pieces", "export_id", Other),
    ("export_pieces", "bytes", Other),
    ("factors", "id", Other),
    ("jobs", "lease", Other),
    ("links", "id", Other),
    ("links", "token_hash", Other),
    ("mails", "id", Other),
    ("messages", "id", Other),
    ("messages", "chat_id", Other),
    ("messages", "client_id", Other),
    ("messages", "parent_id", Other),
    ("messages", "last_leaf_id", Other),
    ("message_parts", "message_id", Other),
    ("pending_sign_ins", "id", Other),
    ("pictures", "bytes", Other),
    ("reset_requests", "id", Other),
    ("runs", "id", Other),
    ("runs", "chat_id", Other),
    ("runs", "message_id", Other),
    ("runs", "worker", Other),
    ("sessions", "id", Other),
    ("sign_ins", "id", Other),
];

/// Tables without such columns. Rate limit counters are found by their subject.
pub const TABLES_WITHOUT_IDS: &[&str] = &["secret_keys", "throttles", "write_checks"];

impl Engine<'_> {
    /// Deletes all remaining data of a user in this transaction, except mentions in the audit log and in mails to
    /// others. [`super::Store::purge_large_tables`] must run before. Returns the numbers of rows that both have
    /// deleted.
    ///
    /// # Errors
    /// Any [`StoreError`]; the transaction must not be committed then.
    pub async fn purge(&mut self, due: &DueDeletion) -> Result<Counts, StoreError> {
        let user = due.id;
        let mut counts = self.list_deletion_counts(user).await?;
        self.delete_jobs_of(user, &due.email_key).await?;
        let mails = execute!(self.tx, "delete from mails where lower(recipient) = $1", &due.email_key)?;
        *counts.entry("mails").or_default() += mails;
        execute!(self.tx, "delete from reset_requests where lower(email) = $1", &due.email_key)?;
        let throttles = "delete from throttles where subject in ($1, $2)";
        *counts.entry("throttles").or_default() += execute!(self.tx, throttles, &due.email_key, user.to_string())?;
        // Invitations to this address have no user, but contain the address.
        let links = "delete from links where user_id is null and lower(email) = $1";
        *counts.entry("links").or_default() += execute!(self.tx, links, &due.email_key)?;
        for (table, column, kind) in ID_COLUMNS {
            match kind {
                Owner => {
                    let sql = format!("delete from {table} where {column} = $1");
                    *counts.entry(table).or_default() += execute!(self.tx, &sql, user)?;
                }
                Mention => {
                    let sql = format!("update {table} set {column} = null where {column} = $1");
                    execute!(self.tx, &sql, user)?;
                }
                Audit | Other => {}
            }
        }
        while self.blank_audit_batch(user).await? > 0 {}
        counts.retain(|table, count| *count > 0 && *table != "deletion_counts");
        Ok(counts)
    }

    /// The columns that still refer to a user after a purge, each with the number of rows.
    pub async fn find_traces(&mut self, due: &DueDeletion) -> Result<Vec<String>, StoreError> {
        let mut traces = Vec::new();
        let mut add = |column: String, row: Option<(i64,)>| {
            let count = row.map_or(0, |(count,)| count);
            if count > 0 {
                traces.push(format!("{column}: {count}"));
            }
        };
        for (table, column, kind) in ID_COLUMNS {
            if matches!(kind, Owner | Mention) {
                let sql = format!("select count(*) from {table} where {column} = $1");
                add(format!("{table}.{column}"), fetch_optional!(self.tx, (i64,), &sql, due.id)?);
            }
        }
        for (column, condition) in [
            ("users.email", "users where email_key = $1"),
            ("mails.recipient", "mails where lower(recipient) = $1"),
            ("links.email", "links where lower(email) = $1"),
            ("reset_requests.email", "reset_requests where lower(email) = $1"),
            ("throttles.key", "throttles where subject = $1"),
        ] {
            let sql = format!("select count(*) from {condition}");
            add(column.to_owned(), fetch_optional!(self.tx, (i64,), &sql, &due.email_key)?);
        }
        let sql = "select count(*) from throttles where subject = $1";
        add("throttles.key".to_owned(), fetch_optional!(self.tx, (i64,), sql, due.id.to_string())?);
        for (column, has_data) in [("actor_id", ACTOR_DATA), ("subject_id", SUBJECT_DATA)] {
            let sql = format!("select count(*) from audit where {column} = $1 and {has_data}");
            add(format!("audit.{column}"), fetch_optional!(self.tx, (i64,), &sql, due.id)?);
        }
        Ok(traces)
    }
}
