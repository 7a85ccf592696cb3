//! Every trace of a person, taken out, and the proof that none is left.
//!
//! [`ID_COLUMNS`] names every column of the schema that holds ids, with what it means for a deletion; a test compares it
//! with both databases. A new table fails that test until it has its place here.

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::{
    DueDeletion, StoreError, Tx,
    db::{execute, fetch_all, fetch_optional},
};
use crate::domain::UserId;

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
    ("sign_ins", "user_id", Owner),
    ("pictures", "user_id", Owner),
    ("exports", "user_id", Owner),
    ("users", "id", Owner),
    ("installation", "administrator_id", Mention),
    ("factor_removals", "asked_by", Mention),
    ("audit", "actor_id", Audit),
    ("audit", "subject_id", Audit),
    ("audit", "id", Other),
    ("ceremonies", "id", Other),
    ("chats", "id", Other),
    ("deletions", "id", Other),
    ("exports", "id", Other),
    ("exports", "lease", Other),
    ("export_pieces", "export_id", Other),
    ("export_pieces", "bytes", Other),
    ("factors", "id", Other),
    ("links", "id", Other),
    ("links", "token_hash", Other),
    ("mails", "id", Other),
    ("mails", "lease", Other),
    ("messages", "id", Other),
    ("messages", "chat_id", Other),
    ("messages", "client_id", Other),
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

/// Tables without such columns. Tries are found by the end of their key.
pub const TABLES_WITHOUT_IDS: &[&str] = &["secret_keys", "throttles", "write_checks"];

/// Session records that are looked through at a time.
const SESSIONS_PAGE: i64 = 1_000;

/// How many rows of which table were deleted.
pub type Counts = BTreeMap<&'static str, u64>;

impl Tx {
    /// Deletes every trace of a person but what the audit and the mails of others say.
    ///
    /// # Errors
    /// As the database says; then the transaction must not be committed.
    pub async fn purge(&mut self, due: &DueDeletion) -> Result<Counts, StoreError> {
        let user = due.id;
        let mut counts = Counts::new();
        let addresses = self.list_addresses_of(due).await?;
        counts.insert("sessions", self.delete_sessions_of(user).await?);
        for (given, key) in &addresses {
            *counts.entry("mails").or_default() +=
                execute!(self, "delete from mails where recipient = $1 or lower(recipient) = $2", given, key)?;
            execute!(self, "delete from reset_requests where email = $1 or lower(email) = $2", given, key)?;
            *counts.entry("throttles").or_default() += self.delete_tries_ending(key).await?;
        }
        *counts.entry("throttles").or_default() += self.delete_tries_ending(&user.to_string()).await?;
        // Invitations for this address are nobody's, and would tell of it.
        let invitations = execute!(
            self,
            "delete from links where user_id is null and (email = $1 or lower(email) = $2)",
            &due.email,
            &due.email_key
        )?;
        counts.insert("links", invitations);
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
        self.blank_audit_of(user).await?;
        counts.retain(|_, count| *count > 0);
        Ok(counts)
    }

    /// Blanks where somebody came from in the audit, and what it says of them. The only change that is ever made there.
    async fn blank_audit_of(&mut self, user: UserId) -> Result<(), StoreError> {
        // What nobody is known to have done to an account was mostly tried by its owner.
        execute!(
            self,
            "update audit set address = '', user_agent = ''
             where actor_id = $1 or (subject_id = $1 and actor_id is null)",
            user
        )?;
        execute!(self, "update audit set detail = '' where actor_id = $1 or subject_id = $1", user)?;
        Ok(())
    }

    /// The addresses of a person that are known: as given, and in lower case.
    async fn list_addresses_of(&mut self, due: &DueDeletion) -> Result<Vec<(String, String)>, StoreError> {
        let rows =
            fetch_all!(self, (String,), "select email from links where user_id = $1 and email is not null", due.id)?;
        let mut found: Vec<_> = rows.into_iter().map(|(email,)| (email.clone(), email.to_lowercase())).collect();
        found.push((due.email.clone(), due.email_key.clone()));
        found.sort();
        found.dedup();
        Ok(found)
    }

    async fn delete_tries_ending(&mut self, end: &str) -> Result<u64, StoreError> {
        Ok(execute!(self, "delete from throttles where key like $1 escape '\\'", ending(end))?)
    }

    /// Deletes the session records that name a sign-in of a person, or one that waits for its second factor.
    async fn delete_sessions_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        let named = fetch_all!(
            self,
            (Uuid,),
            "select id from sign_ins where user_id = $1 union all select id from pending_sign_ins where user_id = $1
             union all select id from ceremonies where user_id = $1",
            user
        )?;
        let named: HashSet<String> = named.into_iter().map(|(id,)| id.to_string()).collect();
        let (mut after, mut deleted) = (Uuid::nil(), 0);
        loop {
            let page = fetch_all!(
                self,
                (Uuid, String),
                "select id, record from sessions where id > $1 order by id limit $2",
                after,
                SESSIONS_PAGE
            )?;
            let Some((last, _)) = page.last() else { return Ok(deleted) };
            after = *last;
            for (id, record) in &page {
                if record.split('"').any(|piece| named.contains(piece)) {
                    self.delete_session(*id).await?;
                    deleted += 1;
                }
            }
        }
    }

    /// What still names a person, after a purge: places, each with how many rows.
    ///
    /// # Errors
    /// As the database says.
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
        for (table, column) in
            [("users", "email"), ("mails", "recipient"), ("links", "email"), ("reset_requests", "email")]
        {
            let sql = format!("select count(*) from {table} where {column} = $1 or lower({column}) = $2");
            let row = fetch_optional!(self, (i64,), &sql, &due.email, &due.email_key)?;
            note(format!("{table}.{column}"), row);
        }
        let sql = "select count(*) from throttles where key like $1 escape '\\' or key like $2 escape '\\'";
        let (address, id) = (ending(&due.email_key), ending(&due.id.to_string()));
        note("throttles.key".to_owned(), fetch_optional!(self, (i64,), sql, address, id)?);
        let sql = "select count(*) from audit where (actor_id = $1 or (subject_id = $1 and actor_id is null))
                   and (address <> '' or user_agent <> '' or detail <> '')";
        note("audit".to_owned(), fetch_optional!(self, (i64,), sql, due.id)?);
        Ok(traces)
    }
}

/// A pattern for keys whose last word is this.
fn ending(word: &str) -> String {
    let mut pattern = String::from("% ");
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
