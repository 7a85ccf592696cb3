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

/// An act that was written down.
#[derive(Debug, sqlx::FromRow)]
pub struct AuditRow {
    /// The entry's id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
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
    ///
    /// # Errors
    /// As the database says.
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
    ///
    /// # Errors
    /// As the database says.
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
            "select id, at, action, outcome, detail, address, user_agent from audit
             where subject_id = $1 and (at, id) < ($2, $3)
             order by at desc, id desc limit $4",
            subject,
            at,
            id,
            i64::from(limit),
        )?)
    }
}
