//! The audit log: an append-only table that is pruned by age.

use uuid::Uuid;

use super::{
    Admin, Owned, StoreError, Tx,
    db::{execute, fetch_all},
};
use crate::domain::{AuditAction, Outcome, Timestamp, UserId};

/// An audit entry to insert.
#[derive(Debug)]
pub struct NewAuditEntry<'a> {
    /// The entry's id.
    pub id: Uuid,
    /// When the action happened.
    pub at: Timestamp,
    /// The user who did it, if known.
    pub actor: Option<UserId>,
    /// The user whose account it concerns.
    pub subject: Option<UserId>,
    /// The action.
    pub action: AuditAction,
    /// The outcome.
    pub outcome: Outcome,
    /// Details such as a name or an id; never the text of a message, never a secret.
    pub detail: &'a str,
    /// The client's IP address.
    pub address: &'a str,
    /// The `User-Agent` of the browser.
    pub user_agent: &'a str,
}

/// A filter for audit entries. `None` matches everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditFilter {
    /// The action.
    pub action: Option<AuditAction>,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// The actor or the subject.
    pub person: Option<UserId>,
    /// The earliest time, inclusive.
    pub from: Option<Timestamp>,
    /// The latest time, exclusive.
    pub until: Option<Timestamp>,
}

/// An audit entry with the names of its actor and subject, as long as the accounts exist.
#[derive(Debug, sqlx::FromRow)]
pub struct AuditRecord {
    /// The entry.
    #[sqlx(flatten)]
    pub row: AuditRow,
    /// The user whose account it concerns.
    pub subject_id: Option<UserId>,
    /// The actor's name.
    pub actor_name: Option<String>,
    /// The actor's e-mail address.
    pub actor_email: Option<String>,
    /// The subject's name.
    pub subject_name: Option<String>,
    /// The subject's e-mail address.
    pub subject_email: Option<String>,
}

/// A stored audit entry.
#[derive(Debug, sqlx::FromRow)]
pub struct AuditRow {
    /// The entry's id.
    pub id: Uuid,
    /// When the action happened.
    pub at: Timestamp,
    /// The user who did it, if known.
    pub actor_id: Option<UserId>,
    /// The action.
    pub action: AuditAction,
    /// The outcome.
    pub outcome: Outcome,
    /// Details such as a name or an id.
    pub detail: String,
    /// The client's IP address.
    pub address: String,
    /// The `User-Agent` of the browser.
    pub user_agent: String,
}

impl Tx {
    /// Inserts an audit entry. Must be called in the transaction of the action.
    pub async fn insert_audit_entry(&mut self, entry: &NewAuditEntry<'_>) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into audit (id, at, actor_id, subject_id, action, outcome, detail, address, user_agent)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            entry.id,
            entry.at,
            entry.actor,
            entry.subject,
            entry.action,
            entry.outcome,
            entry.detail,
            entry.address,
            entry.user_agent,
        )?;
        Ok(())
    }
}

impl Owned<'_> {
    /// A page of the audit entries that concern a user, newest first, after the cursor `after`.
    pub async fn list_audit_entries(
        &mut self,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let (at, id) = after.unwrap_or((Timestamp::from_micros(i64::MAX), Uuid::max()));
        Ok(fetch_all!(
            self.tx,
            AuditRow,
            "select id, at, actor_id, action, outcome, detail, address, user_agent from audit
             where subject_id = $1 and (at, id) < ($2, $3)
             order by at desc, id desc limit $4",
            self.owner,
            at,
            id,
            i64::from(limit),
        )?)
    }

    /// The user agents and IP addresses of a user's past sign-ins, as far as the audit log still contains them. At most
    /// 500.
    pub async fn list_known_devices(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "select distinct user_agent, address from audit
                   where subject_id = $1 and action = 'sign_in' and outcome = 'done' limit 500";
        Ok(fetch_all!(self.tx, (String, String), sql, self.owner)?)
    }
}

impl Admin<'_> {
    /// A page of the audit entries that match the filter, newest first, after the cursor `after`.
    pub async fn search_audit(
        &mut self,
        filter: &AuditFilter,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let (at, id) = after.unwrap_or((Timestamp::from_micros(i64::MAX), Uuid::max()));
        Ok(fetch_all!(
            self.tx,
            AuditRecord,
            "select a.id, a.at, a.actor_id, a.subject_id, a.action, a.outcome, a.detail, a.address, a.user_agent,
                    actor.name as actor_name, actor.email as actor_email,
                    subject.name as subject_name, subject.email as subject_email
             from audit a left join users actor on actor.id = a.actor_id left join users subject on subject.id = a.subject_id
             where (a.at, a.id) < ($1, $2)
               and ($3 is null or a.action = $3) and ($4 is null or a.outcome = $4)
               and ($5 is null or a.actor_id = $5 or a.subject_id = $5)
               and ($6 is null or a.at >= $6) and ($7 is null or a.at < $7)
             order by a.at desc, a.id desc limit $8",
            at,
            id,
            filter.action.map(AuditAction::name),
            filter.outcome,
            filter.person,
            filter.from,
            filter.until,
            i64::from(limit),
        )?)
    }
}
