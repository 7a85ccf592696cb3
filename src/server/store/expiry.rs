//! Deletion of expired rows.

use super::{
    Engine, Store, StoreError,
    batches::ROWS_PER_STEP,
    db::{execute, fetch_optional},
};
use crate::domain::Timestamp;

/// A kind of rows that expire.
#[derive(Debug, Clone, Copy)]
pub struct ExpiringRows {
    /// The name of the kind, for the log.
    pub name: &'static str,
    /// How long the rows are retained after they expired.
    retention: RetentionPeriod,
    /// Deletes at most `$2` rows that expired before `$1`.
    delete: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum RetentionPeriod {
    Days(u32),
    /// The configured retention of the audit log.
    AuditDays,
}

/// All kinds of rows that expire.
pub static EXPIRING_ROWS: [ExpiringRows; 10] = [
    ExpiringRows {
        name: "session records",
        retention: RetentionPeriod::Days(0),
        delete: "delete from sessions where id in (select id from sessions where expires_at <= $1 limit $2)",
    },
    ExpiringRows {
        name: "rate limit counters",
        retention: RetentionPeriod::Days(0),
        delete: "delete from throttles where key in (select key from throttles where ends_at <= $1 limit $2)",
    },
    ExpiringRows {
        name: "audit entries",
        retention: RetentionPeriod::AuditDays,
        delete: "delete from audit where id in (select id from audit where at < $1 limit $2)",
    },
    ExpiringRows {
        name: "authorization flows",
        retention: RetentionPeriod::Days(0),
        delete: "delete from provider_flows where id in (select id from provider_flows where expires_at <= $1 limit $2)",
    },
    ExpiringRows {
        name: "pending sign-ins",
        retention: RetentionPeriod::Days(0),
        delete: "delete from pending_sign_ins where id in (select id from pending_sign_ins where expires_at <= $1 limit $2)",
    },
    ExpiringRows {
        name: "ceremonies",
        retention: RetentionPeriod::Days(0),
        delete: "delete from ceremonies where id in (select id from ceremonies where expires_at <= $1 limit $2)",
    },
    ExpiringRows {
        name: "links",
        retention: RetentionPeriod::Days(0),
        delete: "delete from links where id in (select id from links where expires_at <= $1 limit $2)",
    },
    ExpiringRows {
        name: "sent mails",
        retention: RetentionPeriod::Days(7),
        delete: "delete from mails where id in (select id from mails where sent_at <= $1 limit $2)",
    },
    ExpiringRows {
        name: "failed jobs",
        retention: RetentionPeriod::Days(30),
        delete: "delete from jobs where (kind, subject_id) in
                 (select kind, subject_id from jobs where state = 'failed' and run_at <= $1 limit $2)",
    },
    ExpiringRows {
        name: "undeliverable mails",
        retention: RetentionPeriod::Days(30),
        delete: "delete from mails where id in
                 (select id from mails where sent_at is null and created_at <= $1 and not exists
                      (select 1 from jobs where kind = 'send_mail' and subject_id = mails.id) limit $2)",
    },
];

impl Store {
    /// Deletes the expired rows of a kind. Audit entries are retained for `audit_days`. Returns the number of deleted
    /// rows.
    ///
    /// # Errors
    /// Any [`StoreError`]; the batches that are already committed stay deleted.
    pub async fn delete_expired(
        &self,
        kind: &'static ExpiringRows,
        now: Timestamp,
        audit_days: u32,
    ) -> Result<u64, StoreError> {
        let days = match kind.retention {
            RetentionPeriod::Days(days) => days,
            RetentionPeriod::AuditDays => audit_days,
        };
        let before = now.plus_seconds(-86_400 * i64::from(days));
        if !self.read().await?.engine().has_expired(kind, before).await? {
            return Ok(0);
        }
        self.run_in_batches(move |mut engine| Box::pin(async move { engine.delete_some_expired(kind, before).await }))
            .await
    }
}

impl Engine<'_> {
    async fn has_expired(&mut self, kind: &ExpiringRows, before: Timestamp) -> Result<bool, StoreError> {
        // The subquery of the delete statement.
        let list = kind.delete.split_once("(select").map_or("", |(_, list)| list.trim_end_matches(')'));
        let sql = format!("select count(*) from (select{list}) as due");
        let row = fetch_optional!(self.tx, (i64,), &sql, before, 1_i64)?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }

    async fn delete_some_expired(&mut self, kind: &ExpiringRows, before: Timestamp) -> Result<u64, StoreError> {
        Ok(execute!(self.tx, kind.delete, before, ROWS_PER_STEP)?)
    }
}
