//! Rows that are deleted when their time has come.

use super::{
    Store, StoreError, Tx,
    db::{execute, fetch_optional},
    slices::STEP,
};
use crate::domain::Timestamp;

/// A kind of rows that have their time.
#[derive(Debug, Clone, Copy)]
pub struct Expiring {
    /// What they are, for the log.
    pub what: &'static str,
    /// Days after their time for which they are kept all the same.
    kept: Kept,
    /// Deletes up to `$2` of those whose time was before `$1`.
    delete: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Kept {
    Days(u32),
    /// As long as what was done with accounts.
    AsAudit,
}

/// All kinds.
pub static EXPIRING: [Expiring; 10] = [
    Expiring {
        what: "session records",
        kept: Kept::Days(0),
        delete: "delete from sessions where id in (select id from sessions where expires_at <= $1 limit $2)",
    },
    Expiring {
        what: "counted tries",
        kept: Kept::Days(0),
        delete: "delete from throttles where key in (select key from throttles where ends_at <= $1 limit $2)",
    },
    Expiring {
        what: "the audit",
        kept: Kept::AsAudit,
        delete: "delete from audit where id in (select id from audit where at < $1 limit $2)",
    },
    Expiring {
        what: "people at providers",
        kept: Kept::Days(0),
        delete: "delete from provider_flows where id in (select id from provider_flows where expires_at <= $1 limit $2)",
    },
    Expiring {
        what: "pending sign-ins",
        kept: Kept::Days(0),
        delete: "delete from pending_sign_ins where id in (select id from pending_sign_ins where expires_at <= $1 limit $2)",
    },
    Expiring {
        what: "ceremonies",
        kept: Kept::Days(0),
        delete: "delete from ceremonies where id in (select id from ceremonies where expires_at <= $1 limit $2)",
    },
    Expiring {
        what: "links",
        kept: Kept::Days(0),
        delete: "delete from links where id in (select id from links where expires_at <= $1 limit $2)",
    },
    Expiring {
        what: "sent mails",
        kept: Kept::Days(7),
        delete: "delete from mails where id in (select id from mails where sent_at <= $1 limit $2)",
    },
    Expiring {
        what: "jobs that failed",
        kept: Kept::Days(30),
        delete: "delete from jobs where (kind, subject_id) in
                 (select kind, subject_id from jobs where state = 'failed' and run_at <= $1 limit $2)",
    },
    Expiring {
        what: "mails that were given up",
        kept: Kept::Days(30),
        delete: "delete from mails where id in
                 (select id from mails where sent_at is null and created_at <= $1 and not exists
                      (select 1 from jobs where kind = 'send_mail' and subject_id = mails.id) limit $2)",
    },
];

impl Store {
    /// Deletes the rows of a kind whose time has come. The audit is kept for `audit_days`. Gives how many.
    ///
    /// # Errors
    /// As the database says; what was deleted until then stays deleted.
    pub async fn delete_expired(
        &self,
        kind: &'static Expiring,
        now: Timestamp,
        audit_days: u32,
    ) -> Result<u64, StoreError> {
        let days = match kind.kept {
            Kept::Days(days) => days,
            Kept::AsAudit => audit_days,
        };
        let before = now.plus_seconds(-86_400 * i64::from(days));
        if !self.read().await?.has_expired(kind, before).await? {
            return Ok(0);
        }
        self.in_slices(move |tx| Box::pin(tx.delete_some_expired(kind, before))).await
    }
}

impl Tx {
    async fn has_expired(&mut self, kind: &Expiring, before: Timestamp) -> Result<bool, StoreError> {
        // The statement's own list of what it deletes.
        let list = kind.delete.split_once("(select").map_or("", |(_, list)| list.trim_end_matches(')'));
        let sql = format!("select count(*) from (select{list}) as due");
        let row = fetch_optional!(self, (i64,), &sql, before, 1_i64)?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }

    async fn delete_some_expired(&mut self, kind: &Expiring, before: Timestamp) -> Result<u64, StoreError> {
        Ok(execute!(self, kind.delete, before, STEP)?)
    }
}
