//! The part of a purge that may be large: rows of a person that are deleted in slices, before the rest of them goes at once.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    DueDeletion, Store, StoreError, Tx,
    db::{execute, fetch_all},
    slices::STEP,
};
use crate::domain::UserId;

/// How many rows of which table were deleted.
pub type Counts = BTreeMap<&'static str, u64>;

/// Rows of a person of which there may be many.
#[derive(Debug)]
struct Many {
    table: &'static str,
    /// Deletes up to `$2` of them.
    delete: &'static str,
    /// How many of them at a time.
    step: i64,
}

/// All of them, in the order in which they go. Before the sign-ins go what is found by their ids.
static MANY: [Many; 11] = [
    many("runs", "delete from runs where id in (select id from runs where owner_id = $1 limit $2)"),
    many("messages", "delete from messages where id in (select id from messages where owner_id = $1 limit $2)"),
    many("chats", "delete from chats where id in (select id from chats where owner_id = $1 limit $2)"),
    Many {
        table: "export_pieces",
        delete: "delete from export_pieces where (export_id, position) in
                   (select p.export_id, p.position from export_pieces p join exports e on e.id = p.export_id
                    where e.user_id = $1 limit $2)",
        // Those of older versions are a megabyte each.
        step: 1,
    },
    many("sessions", "delete from sessions where id in (select id from sessions where user_id = $1 limit $2)"),
    many(
        "pending_sign_ins",
        "delete from pending_sign_ins where id in (select id from pending_sign_ins where user_id = $1 limit $2)",
    ),
    many("ceremonies", "delete from ceremonies where id in (select id from ceremonies where user_id = $1 limit $2)"),
    many(
        "provider_flows",
        "delete from provider_flows where id in (select id from provider_flows where user_id = $1 limit $2)",
    ),
    many("links", "delete from links where id in (select id from links where user_id = $1 limit $2)"),
    many("links", "delete from links where id in (select id from links where created_by = $1 limit $2)"),
    many("sign_ins", "delete from sign_ins where id in (select id from sign_ins where user_id = $1 limit $2)"),
];

const fn many(table: &'static str, delete: &'static str) -> Many {
    Many { table, delete, step: STEP }
}

/// What an entry of the audit says of who did it, as a condition: the one of an index.
pub(super) const OF_ACTOR: &str = "(address <> '' or user_agent <> '' or detail <> '')";
/// What an entry of the audit says of whom it concerns. What nobody is known to have done to an account was mostly tried by
/// its owner.
pub(super) const OF_SUBJECT: &str = "(detail <> '' or (actor_id is null and (address <> '' or user_agent <> '')))";

/// Session records that are looked through at a time.
const SESSIONS_PAGE: i64 = 500;

/// A part of what there is of a person.
#[derive(Debug, Clone)]
enum Part {
    Rows(&'static Many),
    ResetsOf(Arc<str>),
    MailsTo(Arc<str>),
    TriesOf(Arc<str>),
    Audit,
}

impl Store {
    /// Deletes what there may be much of, of a person whose deletion has begun. Counts it for [`Tx::purge`], which deletes
    /// the rest. May break off anywhere and be begun anew.
    ///
    /// # Errors
    /// As the database says; whoever comes next goes on from there.
    pub async fn purge_much(&self, due: &DueDeletion) -> Result<(), StoreError> {
        let user = due.id;
        // Known from links, so the links go later.
        let addresses = self.read().await?.list_addresses_of(due).await?;
        let mut parts = vec![Part::TriesOf(user.to_string().into())];
        for address in addresses {
            let address: Arc<str> = address.into();
            parts.extend([Part::MailsTo(address.clone()), Part::ResetsOf(address.clone()), Part::TriesOf(address)]);
        }
        self.delete_old_sessions_of(user).await?;
        parts.extend(MANY.iter().map(Part::Rows));
        parts.push(Part::Audit);
        for part in parts {
            self.in_slices(|tx| {
                let part = part.clone();
                Box::pin(async move { tx.purge_some(user, &part).await })
            })
            .await?;
        }
        Ok(())
    }

    /// Deletes the session records from before it was noted whose they are. They are read beside the writer.
    async fn delete_old_sessions_of(&self, user: UserId) -> Result<(), StoreError> {
        let named = self.read().await?.list_named_in_sessions(user).await?;
        let mut after = Uuid::nil();
        loop {
            let page = self.read().await?.list_old_sessions(after).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = *last;
            for (id, record) in &page {
                if record.split('"').any(|piece| named.contains(piece)) {
                    let mut tx = self.write().await?;
                    tx.delete_session(*id).await?;
                    tx.count_deleted(user, "sessions", 1).await?;
                    tx.commit().await?;
                }
            }
        }
    }
}

impl Tx {
    /// The addresses of a person that are known, in lower case.
    async fn list_addresses_of(&mut self, due: &DueDeletion) -> Result<Vec<String>, StoreError> {
        let sql = "select distinct lower(email) from links where user_id = $1 and email is not null";
        let rows = fetch_all!(self, (String,), sql, due.id)?;
        let mut found: Vec<_> = rows.into_iter().map(|(key,)| key).collect();
        found.push(due.email_key.clone());
        found.sort();
        found.dedup();
        Ok(found)
    }

    async fn list_named_in_sessions(&mut self, user: UserId) -> Result<HashSet<String>, StoreError> {
        let named = fetch_all!(
            self,
            (Uuid,),
            "select id from sign_ins where user_id = $1 union all select id from pending_sign_ins where user_id = $1
             union all select id from ceremonies where user_id = $1",
            user
        )?;
        Ok(named.into_iter().map(|(id,)| id.to_string()).collect())
    }

    async fn list_old_sessions(&mut self, after: Uuid) -> Result<Vec<(Uuid, String)>, StoreError> {
        Ok(fetch_all!(
            self,
            (Uuid, String),
            "select id, record from sessions where id > $1 and user_id is null order by id limit $2",
            after,
            SESSIONS_PAGE,
        )?)
    }

    /// Deletes some rows of a part. Gives how many.
    async fn purge_some(&mut self, user: UserId, part: &Part) -> Result<u64, StoreError> {
        // On PostgreSQL this locks the account, so that several instances take turns.
        let turn = "update users set deletion_begun = true where id = $1 and deletion_begun";
        if execute!(self, turn, user)? == 0 {
            return Ok(0);
        }
        let (table, rows) = match part {
            Part::Rows(many) => (many.table, execute!(self, many.delete, user, many.step)?),
            Part::MailsTo(key) => {
                self.delete_jobs_of(user, key).await?;
                let sql = "delete from mails where id in (select id from mails where lower(recipient) = $1 limit $2)";
                ("mails", execute!(self, sql, &**key, STEP)?)
            }
            Part::TriesOf(subject) => {
                let sql = "delete from throttles where key in (select key from throttles where subject = $1 limit $2)";
                ("throttles", execute!(self, sql, &**subject, STEP)?)
            }
            Part::ResetsOf(key) => {
                let sql = "delete from reset_requests where id in (select id from reset_requests where lower(email) = $1 limit $2)";
                return Ok(execute!(self, sql, &**key, STEP)?);
            }
            Part::Audit => return self.blank_some_audit(user).await,
        };
        // An export is one thing to people, in however many pieces.
        if table != "export_pieces" {
            self.count_deleted(user, table, rows).await?;
        }
        Ok(rows)
    }

    /// Blanks where somebody came from in some entries of the audit, and what it says of them. The only change that is ever
    /// made there. Gives in how many.
    pub(super) async fn blank_some_audit(&mut self, user: UserId) -> Result<u64, StoreError> {
        let sql = format!(
            "update audit set address = '', user_agent = '', detail = ''
             where id in (select id from audit where actor_id = $1 and {OF_ACTOR} limit $2)"
        );
        let by_them = execute!(self, &sql, user, STEP)?;
        let sql = format!(
            "update audit set detail = '', address = case when actor_id is null then '' else address end,
                              user_agent = case when actor_id is null then '' else user_agent end
             where id in (select id from audit where subject_id = $1 and {OF_SUBJECT} limit $2)"
        );
        Ok(by_them + execute!(self, &sql, user, STEP)?)
    }

    /// Deletes the jobs that send mails to an address, or build downloads for a person. What a mail server said can hold the
    /// address.
    pub(super) async fn delete_jobs_of(&mut self, user: UserId, email_key: &str) -> Result<(), StoreError> {
        let mails = "delete from jobs where kind = 'send_mail'
                       and subject_id in (select id from mails where lower(recipient) = $1)";
        execute!(self, mails, email_key)?;
        let exports = "delete from jobs where kind = 'build_export'
                         and subject_id in (select id from exports where user_id = $1)";
        execute!(self, exports, user)?;
        Ok(())
    }

    async fn count_deleted(&mut self, user: UserId, table: &str, rows: u64) -> Result<(), StoreError> {
        if rows > 0 {
            execute!(
                self,
                "insert into deletion_counts (user_id, name, deleted) values ($1, $2, $3)
                 on conflict (user_id, name) do update set deleted = deletion_counts.deleted + $3",
                user,
                table,
                i64::try_from(rows).unwrap_or(i64::MAX),
            )?;
        }
        Ok(())
    }

    /// What was deleted of a person so far.
    pub(super) async fn list_deleted(&mut self, user: UserId) -> Result<Counts, StoreError> {
        let sql = "select name, deleted from deletion_counts where user_id = $1";
        let rows = fetch_all!(self, (String, i64), sql, user)?;
        let known = MANY.iter().map(|many| many.table).chain(["mails", "throttles"]);
        let deleted = |table: &'static str| {
            let (_, count) = rows.iter().find(|(name, _)| name == table)?;
            Some((table, u64::try_from(*count).unwrap_or_default()))
        };
        Ok(known.filter_map(deleted).collect())
    }
}
