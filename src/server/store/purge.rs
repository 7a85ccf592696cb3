//! Every trace of a person, taken out, and the proof that none is left.
//!
//! [`ID_COLUMNS`] names every column of the schema that holds ids, with what it means for a deletion; a test compares it
//! with both databases. A new table fails that test until it has its place here.

use super::{
    DueDeletion, StoreError, Tx,
    db::{execute, fetch_optional},
    purge_slices::{Counts, OF_ACTOR, OF_SUBJECT},
};

/// What the ids of a column are, for a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A person, whose rows these are: they are deleted.
    Owner,
    /// A person who is named in a row of somebody or something else: the name is taken out.
    Mention,
    /// A person, in the audit: the id stays, which is nobody's then, and what was noted of them is blanked.
    Audit,
    /// Something else than a person.
    Other,
}
use Holds::{Audit, Mention, Other, Owner};

/// Every column that holds ids: table, column, what it holds. Rows are deleted in this order.
pub const ID_COLUMNS: &[(&str, &str, Holds)] = &[
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

/// Tables without such columns. Tries are found by the last word of their key.
pub const TABLES_WITHOUT_IDS: &[&str] = &["secret_keys", "throttles", "write_checks"];

impl Tx {
    /// Deletes every trace of a person but what the audit and the mails of others say, all at once. What there may be much
    /// of is deleted before, by [`super::Store::purge_much`]; the counts are those of both.
    ///
    /// # Errors
    /// As the database says; then the transaction must not be committed.
    pub async fn purge(&mut self, due: &DueDeletion) -> Result<Counts, StoreError> {
        let user = due.id;
        let mut counts = self.list_deleted(user).await?;
        self.delete_jobs_of(user, &due.email_key).await?;
        let mails = execute!(self, "delete from mails where lower(recipient) = $1", &due.email_key)?;
        *counts.entry("mails").or_default() += mails;
        execute!(self, "delete from reset_requests where lower(email) = $1", &due.email_key)?;
        let tries = "delete from throttles where subject in ($1, $2)";
        *counts.entry("throttles").or_default() += execute!(self, tries, &due.email_key, user.to_string())?;
        // Invitations for this address are nobody's, and would tell of it.
        let links = "delete from links where user_id is null and lower(email) = $1";
        *counts.entry("links").or_default() += execute!(self, links, &due.email_key)?;
        for (table, column, holds) in ID_COLUMNS {
            match holds {
                Owner => {
                    let sql = format!("delete from {table} where {column} = $1");
                    *counts.entry(table).or_default() += execute!(self, &sql, user)?;
                }
                Mention => {
                    let sql = format!("update {table} set {column} = null where {column} = $1");
                    execute!(self, &sql, user)?;
                }
                Audit | Other => {}
            }
        }
        while self.blank_some_audit(user).await? > 0 {}
        counts.retain(|table, count| *count > 0 && *table != "deletion_counts");
        Ok(counts)
    }

    /// What still names a person, after a purge: places, each with how many rows.
    pub async fn find_traces(&mut self, due: &DueDeletion) -> Result<Vec<String>, StoreError> {
        let mut traces = Vec::new();
        let mut note = |place: String, row: Option<(i64,)>| {
            let count = row.map_or(0, |(count,)| count);
            if count > 0 {
                traces.push(format!("{place}: {count}"));
            }
        };
        for (table, column, holds) in ID_COLUMNS {
            if matches!(holds, Owner | Mention) {
                let sql = format!("select count(*) from {table} where {column} = $1");
                note(format!("{table}.{column}"), fetch_optional!(self, (i64,), &sql, due.id)?);
            }
        }
        for (place, condition) in [
            ("users.email", "users where email_key = $1"),
            ("mails.recipient", "mails where lower(recipient) = $1"),
            ("links.email", "links where lower(email) = $1"),
            ("reset_requests.email", "reset_requests where lower(email) = $1"),
            ("throttles.key", "throttles where subject = $1"),
        ] {
            let sql = format!("select count(*) from {condition}");
            note(place.to_owned(), fetch_optional!(self, (i64,), &sql, &due.email_key)?);
        }
        let sql = "select count(*) from throttles where subject = $1";
        note("throttles.key".to_owned(), fetch_optional!(self, (i64,), sql, due.id.to_string())?);
        for (column, is_named) in [("actor_id", OF_ACTOR), ("subject_id", OF_SUBJECT)] {
            let sql = format!("select count(*) from audit where {column} = $1 and {is_named}");
            note(format!("audit.{column}"), fetch_optional!(self, (i64,), &sql, due.id)?);
        }
        Ok(traces)
    }
}
