//! The large part of a purge: rows of a user that are deleted in batches, before one transaction deletes the rest.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    DueDeletion, Engine, Store, StoreError,
    batches::ROWS_PER_STEP,
    db::{execute, fetch_all},
};
use crate::domain::UserId;

/// The number of deleted rows by table.
pub type Counts = BTreeMap<&'static str, u64>;

/// A table that may contain many rows of one user.
#[derive(Debug)]
struct LargeTable {
    table: &'static str,
    /// Deletes at most `$2` rows of the user `$1`.
    delete: &'static str,
    /// Rows per step.
    rows_per_step: i64,
}

/// All large tables, in the order of deletion. Rows that are found by the ids of sign-ins come before the sign-ins.
static LARGE_TABLES: [LargeTable; 11] = [
    large_table("runs", "delete from runs where id in (select id from runs where owner_id = $1 limit $2)"),
    large_table("messages", "delete from messages where id in (select id from messages where owner_id = $1 limit $2)"),
    large_table("chats", "delete from chats where id in (select id from chats where owner_id = $1 limit $2)"),
    LargeTable {
        table: "export_pieces",
        delete: "delete from export_pieces where (export_id, position) in
                   (select p.export_id, p.position from export_pieces p join exports e on e.id = p.export_id
                    where e.user_id = $1 limit $2)",
        // Chunks of older versions are one megabyte each.
        rows_per_step: 1,
    },
    large_table("sessions", "delete from sessions where id in (select id from sessions where user_id = $1 limit $2)"),
    large_table(
        "pending_sign_ins",
        "delete from pending_sign_ins where id in (select id from pending_sign_ins where user_id = $1 limit $2)",
    ),
    large_table(
        "ceremonies",
        "delete from ceremonies where id in (select id from ceremonies where user_id = $1 limit $2)",
    ),
    large_table(
        "provider_flows",
        "delete from provider_flows where id in (select id from provider_flows where user_id = $1 limit $2)",
    ),
    large_table("links", "delete from links where id in (select id from links where user_id = $1 limit $2)"),
    large_table("links", "delete from links where id in (select id from links where created_by = $1 limit $2)"),
    large_table("sign_ins", "delete from sign_ins where id in (select id from sign_ins where user_id = $1 limit $2)"),
];

const fn large_table(table: &'static str, delete: &'static str) -> LargeTable {
    LargeTable { table, delete, rows_per_step: ROWS_PER_STEP }
}

/// SQL condition: an audit entry contains personal data of its actor. The same text as in the condition of an index.
pub(super) const ACTOR_DATA: &str = "(address <> '' or user_agent <> '' or detail <> '')";
/// SQL condition: an audit entry contains personal data of its subject. Without a known actor, the address and browser
/// are mostly those of the subject.
pub(super) const SUBJECT_DATA: &str = "(detail <> '' or (actor_id is null and (address <> '' or user_agent <> '')))";

/// Session records that are read per query.
const SESSIONS_PAGE_SIZE: i64 = 500;

/// A part of the purge.
#[derive(Debug, Clone)]
enum Part {
    Table(&'static LargeTable),
    /// Reset requests for an e-mail address.
    ResetRequests(Arc<str>),
    /// Mails to an e-mail address.
    Mails(Arc<str>),
    /// Rate limit counters of an account or e-mail address.
    Throttles(Arc<str>),
    Audit,
}

impl Store {
    /// Deletes the rows of a user in large tables, after the deletion has begun. Stores the numbers of deleted rows for
    /// [`Engine::purge`], which deletes the rest. Can be interrupted and restarted at any time.
    ///
    /// # Errors
    /// Any [`StoreError`]; the next attempt continues from there.
    pub async fn purge_large_tables(&self, due: &DueDeletion) -> Result<(), StoreError> {
        let user = due.id;
        // Read from links, so the links are deleted later.
        let addresses = self.read().await?.engine().list_addresses(due).await?;
        let mut parts = vec![Part::Throttles(user.to_string().into())];
        for address in addresses {
            let address: Arc<str> = address.into();
            parts.extend([
                Part::Mails(address.clone()),
                Part::ResetRequests(address.clone()),
                Part::Throttles(address),
            ]);
        }
        self.delete_legacy_sessions(user).await?;
        parts.extend(LARGE_TABLES.iter().map(Part::Table));
        parts.push(Part::Audit);
        for part in parts {
            self.run_in_batches(|mut engine| {
                let part = part.clone();
                Box::pin(async move { engine.purge_batch(user, &part).await })
            })
            .await?;
        }
        Ok(())
    }

    /// Deletes session records of versions that did not store the user id. They are read without blocking the writer.
    async fn delete_legacy_sessions(&self, user: UserId) -> Result<(), StoreError> {
        let references = self.read().await?.engine().list_session_references(user).await?;
        let mut after = Uuid::nil();
        loop {
            let page = self.read().await?.engine().list_legacy_sessions(after).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (id, record) in &page {
                if record.split('"').any(|value| references.contains(value)) {
                    let mut tx = self.write().await?;
                    tx.delete_session(*id).await?;
                    tx.engine().count_deleted(user, "sessions", 1).await?;
                    tx.commit().await?;
                }
            }
        }
    }
}

impl Engine<'_> {
    /// The known e-mail addresses of a user, in lower case.
    async fn list_addresses(&mut self, due: &DueDeletion) -> Result<Vec<String>, StoreError> {
        let sql = "select distinct lower(email) from links where user_id = $1 and email is not null";
        let rows = fetch_all!(self.tx, (String,), sql, due.id)?;
        let mut found: Vec<_> = rows.into_iter().map(|(key,)| key).collect();
        found.push(due.email_key.clone());
        found.sort();
        found.dedup();
        Ok(found)
    }

    async fn list_session_references(&mut self, user: UserId) -> Result<HashSet<String>, StoreError> {
        let ids = fetch_all!(
            self.tx,
            (Uuid,),
            "select id from sign_ins where user_id = $1 union all select id from pending_sign_ins where user_id = $1
             union all select id from ceremonies where user_id = $1",
            user
        )?;
        Ok(ids.into_iter().map(|(id,)| id.to_string()).collect())
    }

    async fn list_legacy_sessions(&mut self, after: Uuid) -> Result<Vec<(Uuid, String)>, StoreError> {
        Ok(fetch_all!(
            self.tx,
            (Uuid, String),
            "select id, record from sessions where id > $1 and user_id is null order by id limit $2",
            after,
            SESSIONS_PAGE_SIZE,
        )?)
    }

    /// Deletes some rows of a part. Returns their number.
    async fn purge_batch(&mut self, user: UserId, part: &Part) -> Result<u64, StoreError> {
        // On PostgreSQL this locks the account, so that several instances work alternately.
        let lock = "update users set deletion_begun = true where id = $1 and deletion_begun";
        if execute!(self.tx, lock, user)? == 0 {
            return Ok(0);
        }
        let (table, rows) = match part {
            Part::Table(large) => (large.table, execute!(self.tx, large.delete, user, large.rows_per_step)?),
            Part::Mails(key) => {
                self.delete_jobs_of(user, key).await?;
                let sql = "delete from mails where id in (select id from mails where lower(recipient) = $1 limit $2)";
                ("mails", execute!(self.tx, sql, &**key, ROWS_PER_STEP)?)
            }
            Part::Throttles(subject) => {
                let sql = "delete from throttles where key in (select key from throttles where subject = $1 limit $2)";
                ("throttles", execute!(self.tx, sql, &**subject, ROWS_PER_STEP)?)
            }
            Part::ResetRequests(key) => {
                let sql = "delete from reset_requests where id in (select id from reset_requests where lower(email) = $1 limit $2)";
                return Ok(execute!(self.tx, sql, &**key, ROWS_PER_STEP)?);
            }
            Part::Audit => return self.blank_audit_batch(user).await,
        };
        // The chunks of an export are not counted, only the export itself.
        if table != "export_pieces" {
            self.count_deleted(user, table, rows).await?;
        }
        Ok(rows)
    }

    /// Blanks the address, the browser and the detail of a user in some audit entries. Nothing else ever changes audit
    /// entries. Returns the number of changed entries.
    pub(super) async fn blank_audit_batch(&mut self, user: UserId) -> Result<u64, StoreError> {
        let sql = format!(
            "update audit set address = '', user_agent = '', detail = ''
             where id in (select id from audit where actor_id = $1 and {ACTOR_DATA} limit $2)"
        );
        let as_actor = execute!(self.tx, &sql, user, ROWS_PER_STEP)?;
        let sql = format!(
            "update audit set detail = '', address = case when actor_id is null then '' else address end,
                              user_agent = case when actor_id is null then '' else user_agent end
             where id in (select id from audit where subject_id = $1 and {SUBJECT_DATA} limit $2)"
        );
        Ok(as_actor + execute!(self.tx, &sql, user, ROWS_PER_STEP)?)
    }

    /// Deletes the jobs that send mails to an e-mail address or build exports of a user. The error message of a job may
    /// contain the address.
    pub(super) async fn delete_jobs_of(&mut self, user: UserId, email_key: &str) -> Result<(), StoreError> {
        let mails = "delete from jobs where kind = 'send_mail'
                       and subject_id in (select id from mails where lower(recipient) = $1)";
        execute!(self.tx, mails, email_key)?;
        let exports = "delete from jobs where kind = 'build_export'
                         and subject_id in (select id from exports where user_id = $1)";
        execute!(self.tx, exports, user)?;
        Ok(())
    }

    async fn count_deleted(&mut self, user: UserId, table: &str, rows: u64) -> Result<(), StoreError> {
        if rows > 0 {
            execute!(
                self.tx,
                "insert into deletion_counts (user_id, name, deleted) values ($1, $2, $3)
                 on conflict (user_id, name) do update set deleted = deletion_counts.deleted + $3",
                user,
                table,
                i64::try_from(rows).unwrap_or(i64::MAX),
            )?;
        }
        Ok(())
    }

    /// The numbers of rows of a user that were deleted so far.
    pub(super) async fn list_deletion_counts(&mut self, user: UserId) -> Result<Counts, StoreError> {
        let sql = "select name, deleted from deletion_counts where user_id = $1";
        let rows = fetch_all!(self.tx, (String, i64), sql, user)?;
        let known = LARGE_TABLES.iter().map(|large| large.table).chain(["mails", "throttles"]);
        let deleted = |table: &'static str| {
            let (_, count) = rows.iter().find(|(name, _)| name == table)?;
            Some((table, u64::try_from(*count).unwrap_or_default()))
        };
        Ok(known.filter_map(deleted).collect())
    }
}
