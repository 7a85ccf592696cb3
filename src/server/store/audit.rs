//! The audit: rows that are only added, and pruned by age.

use uuid::Uuid;

use super::{
    StoreError, Tx,
    db::{execute, fetch_all},
};
use crate::domain::{AuditAction, Outcome, Timestamp, UserId};

/// An act to be written down.
#[derive(Debug)]
pub struct NewAuditEntry<'a> {
    /// The entry's id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who did it, where that is known.
    pub actor: Option<UserId>,
    /// Whose account it concerns.
    pub subject: Option<UserId>,
    /// What.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: Outcome,
    /// On what: a name or an id, never a text of a message, never a secret.
    pub detail: &'a str,
    /// Where from.
    pub address: &'a str,
    /// The browser, as it names itself.
    pub user_agent: &'a str,
}

/// What is looked for. `None` stands for everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditFilter {
    /// What was done.
    pub action: Option<AuditAction>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Who did it, or whom it concerns.
    pub person: Option<UserId>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// An act that was written down, with who took part in it while the accounts exist.
#[derive(Debug, sqlx::FromRow)]
pub struct AuditRecord {
    /// The act.
    #[sqlx(flatten)]
    pub row: AuditRow,
    /// Whose account it concerns.
    pub subject_id: Option<UserId>,
    /// The name of whoever did it.
    pub actor_name: Option<String>,
    /// Their address.
    pub actor_email: Option<String>,
    /// The name of whom it concerns.
    pub subject_name: Option<String>,
    /// Their address.
    pub subject_email: Option<String>,
}

/// An act that was written down.
#[derive(Debug, sqlx::FromRow)]
pub struct AuditRow {
    /// The entry's id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who did it, where that is known.
    pub actor_id: Option<UserId>,
    /// What.
    pub action: AuditAction,
    /// How it ended.
    pub outcome: Outcome,
    /// On what.
    pub detail: String,
    /// Where from.
    pub address: String,
    /// The browser, as it names itself.
    pub user_agent: String,
}

impl Tx {
    /// Writes an act down. Belongs into the transaction of the act.
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

    /// The acts that concern a person, newest first, after a place in that order.
    pub async fn list_audit_entries(
        &mut self,
        subject: UserId,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let (at, id) = after.unwrap_or((Timestamp::from_micros(i64::MAX), Uuid::max()));
        Ok(fetch_all!(
            self,
            AuditRow,
            "select id, at, actor_id, action, outcome, detail, address, user_agent from audit
             where subject_id = $1 and (at, id) < ($2, $3)
             order by at desc, id desc limit $4",
            subject,
            at,
            id,
            i64::from(limit),
        )?)
    }

    /// The browsers and addresses from which somebody signed in, as far as that is still written down. At most 500.
    pub async fn list_sign_in_origins(&mut self, subject: UserId) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "select distinct user_agent, address from audit
                   where subject_id = $1 and action = 'sign_in' and outcome = 'done' limit 500";
        Ok(fetch_all!(self, (String, String), sql, subject)?)
    }

    /// The acts that fit, newest first, after a place in that order.
    pub async fn search_audit(
        &mut self,
        filter: &AuditFilter,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let (at, id) = after.unwrap_or((Timestamp::from_micros(i64::MAX), Uuid::max()));
        Ok(fetch_all!(
            self,
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
