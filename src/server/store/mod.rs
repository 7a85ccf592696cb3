//! The database layer. All SQL statements are in this module.
//!
//! [`Store::read`] returns a connection for queries, [`Store::write`] begins a transaction. Both are a [`Tx`]. Most
//! statements are methods of one of its views:
//! - [`Owned`], from [`Tx::owned_by`]: the rows of one user. All its statements name the owner.
//! - [`Admin`], from [`Tx::admin`]: accounts, invitations, audit entries and jobs, for administrators and the operator.
//! - [`Engine`], from [`Tx::engine`]: runs, jobs, outgoing mail, retention, expiry, purges and keys.
//!
//! [`Tx`] itself has what happens before the user is known: finding an account by its address, a link by its token, a
//! session or a sign-in by its id; and what every action may write: audit entries, mails, jobs. It does not access the
//! content of users. `tests/app/architecture/store_views.rs` checks these rules.

mod addresses;
mod admin;
mod audit;
mod batches;
mod branches;
mod chats;
mod credentials;
mod db;
mod deletions;
mod engine;
mod expiry;
mod export_rows;
mod exports;
mod factor_removals;
mod factors;
mod finished_runs;
mod group;
mod identities;
mod jobs;
mod links;
mod mail_requests;
mod mails;
mod messages;
mod migrate;
mod owned;
mod pending_sign_ins;
mod people;
mod pooler;
mod profiles;
mod purge;
mod purge_batches;
mod retention;
#[cfg(test)]
mod run_properties;
mod runs;
mod sealed;
mod sessions;
mod sign_ins;
mod throttles;
mod titles;
mod unknown_value;
mod users;
mod versions;
mod write_checks;

use std::{path::Path, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

use crate::domain::{Timestamp, UserId};

pub use addresses::AddressState;
pub use admin::Admin;
pub use audit::{AuditFilter, AuditRecord, AuditRow, NewAuditEntry};
pub use branches::ChatCopy;
pub use chats::{ChatRow, NewChat};
pub use credentials::CredentialsVersion;
pub use db::Tx;
pub use deletions::{DueDeletion, ReceiptRow};
pub use engine::Engine;
pub use expiry::{EXPIRING_ROWS, ExpiringRows};
pub use export_rows::{ExportAccount, ExportChat, ExportSignIn};
pub use exports::ExportRow;
pub use factor_removals::DueRemoval;
pub use factors::{FactorData, FactorRow, NewFactor};
pub use finished_runs::FinishedRun;
pub use identities::{FlowPurpose, FlowRow, IdentityOwner, IdentityRow, NewFlow, NewIdentity};
pub use jobs::ClaimedJob;
pub use links::{LinkPurpose, LinkRow, NewLink, TokenHash};
pub use mail_requests::MailRequest;
pub use mails::{FailingMail, NewMail, UnsentMail};
pub use messages::{MessageRow, NewMessage, Node, Part, PartKind};
pub use owned::Owned;
pub use pending_sign_ins::{CeremonyPurpose, NewCeremony, PendingSignIn};
pub use people::{PeopleCursor, PersonRow};
pub use profiles::ProfileRow;
pub use purge::{ID_COLUMNS, IdKind, TABLES_WITHOUT_IDS};
pub use purge_batches::Counts;
pub use retention::{InactiveChat, RetentionRow, RetentionRule};
pub use runs::{ClaimedRun, NewRun, RunClaim, RunProgress, RunStatus};
pub use sealed::{SEALED_COLUMNS, SealedColumn, SecretKeyRow, sealed_context};
pub use sign_ins::{NewSignIn, SignInRow, SignedIn};
pub use titles::UntitledChat;
pub use unknown_value::UnknownValue;
pub use users::{NewUser, UserRow};

/// How often [`Store::checkpoint`] tries to truncate SQLite's write-ahead log, and how long it waits between attempts.
const MAX_CHECKPOINT_ATTEMPTS: u32 = 50;
const CHECKPOINT_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// A database error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database does not respond, or no connection is free.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The disk of the database is full.
    #[error("the disk of the database is full")]
    Full,
    /// A row with this key already exists.
    #[error("a row with this key exists")]
    Duplicate,
    /// The transaction was rolled back because of a deadlock or a serialization failure. A retry may succeed.
    #[error("the transaction was rolled back because of a conflict with another one: {0}")]
    Deadlock(#[source] sqlx::Error),
    /// A column contains an enum value that this version does not know.
    #[error(transparent)]
    UnknownValue(#[from] UnknownValue),
    /// This version cannot use the database schema.
    #[error("{0}")]
    Schema(String),
    /// Any other error: a bug in Colloquy.
    #[error(transparent)]
    Other(sqlx::Error),
}

impl StoreError {
    /// Whether a retry may succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full | Self::Deadlock(_))
    }

    /// An error of the same class for another caller whose work failed with this one.
    fn for_another_caller(&self) -> Self {
        let cause = || sqlx::Error::InvalidArgument(format!("a transaction shared with others failed: {self}"));
        match self {
            Self::Full => Self::Full,
            Self::Unavailable(_) => Self::Unavailable(cause()),
            Self::Deadlock(_) => Self::Deadlock(cause()),
            Self::Duplicate | Self::UnknownValue(_) | Self::Schema(_) | Self::Other(_) => Self::Other(cause()),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            // A server that stops while a connection is being opened causes a protocol error.
            E::PoolTimedOut | E::PoolClosed | E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed => {
                Self::Unavailable(error)
            }
            E::Database(inner) if inner.is_unique_violation() => Self::Duplicate,
            E::Database(inner) => match classify_code(inner.code().as_deref().unwrap_or_default()) {
                ErrorClass::Transient => Self::Unavailable(error),
                ErrorClass::Full => Self::Full,
                ErrorClass::Deadlock => Self::Deadlock(error),
                ErrorClass::Other => Self::Other(error),
            },
            _ => Self::Other(error),
        }
    }
}

/// What a database error code means for the caller.
enum ErrorClass {
    /// The database may work again in a moment, or after the operator has repaired it.
    Transient,
    /// The disk is full.
    Full,
    /// The transaction was rolled back because of a conflict with another one.
    Deadlock,
    /// Any other error.
    Other,
}

/// Classifies an error code. SQLite codes are numbers whose lowest byte is the primary code
/// (<https://sqlite.org/rescode.html>); PostgreSQL codes have five characters
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn classify_code(code: &str) -> ErrorClass {
    if let Ok(number) = code.parse::<u32>()
        && code.len() < 5
    {
        return match number & 0xff {
            // BUSY, LOCKED, NOMEM, READONLY, IOERR, CANTOPEN, PROTOCOL.
            5 | 6 | 7 | 8 | 10 | 14 | 15 => ErrorClass::Transient,
            13 => ErrorClass::Full,
            _ => ErrorClass::Other,
        };
    }
    match code {
        "53100" => ErrorClass::Full,
        // Deadlock, serialization failure.
        "40P01" | "40001" => ErrorClass::Deadlock,
        // A standby or a read-only database, lock and statement timeouts, I/O errors.
        "25006" | "25P03" | "42501" | "55P03" | "57014" | "58030" => ErrorClass::Transient,
        // Connection exceptions, failed authentication, a missing database, insufficient resources, operator
        // intervention, internal server errors: none of them is caused by the statement.
        _ if ["08", "28", "3D", "53", "57P", "XX"].iter().any(|class| code.starts_with(class)) => ErrorClass::Transient,
        _ => ErrorClass::Other,
    }
}

/// The open, migrated database.
#[derive(Debug, Clone)]
pub struct Store {
    db: db::Db,
    /// Wakes the job runner when this process has enqueued a job.
    jobs: Arc<Notify>,
    group: Arc<group::Group>,
}

impl Store {
    /// Opens PostgreSQL if there is a URL, otherwise the SQLite file `colloquy.db` in the data folder, and migrates it.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if a migration was only partly applied or the schema is newer than this version.
    pub async fn open(data: &Path, url: Option<&SecretString>) -> Result<Self, StoreError> {
        let db = match url {
            Some(url) => db::Db::open_postgres(url.expose_secret()).await?,
            None => db::Db::open_sqlite(&data.join("colloquy.db")).await?,
        };
        migrate::run(&db).await?;
        Ok(Self { db, jobs: Arc::default(), group: Arc::default() })
    }

    /// Acquires a connection for queries.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] after 4 s if no connection is free.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        self.db.read().await
    }

    /// Begins a transaction. While it is open, do not call a model or the network.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(self.db.write().await?.with_job_notifier(Arc::clone(&self.jobs)))
    }

    /// Waits until this process has enqueued a job since the last call.
    pub async fn job_enqueued(&self) {
        self.jobs.notified().await;
    }

    /// Truncates SQLite's write-ahead log, so that deleted data is in no file any more. Retries for some seconds while
    /// the log is being read; after that, SQLite truncates it later by itself.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        for _ in 0..MAX_CHECKPOINT_ATTEMPTS {
            if self.db.checkpoint().await? {
                return Ok(());
            }
            tokio::time::sleep(CHECKPOINT_RETRY_INTERVAL).await;
        }
        tracing::warn!("cannot truncate the write-ahead log of SQLite yet, because it is being read");
        Ok(())
    }

    /// Checks that the database is writable by writing a row.
    pub async fn check_write(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.engine().write_check(now).await?;
        tx.commit().await
    }

    /// The time of the database server's clock; `None` for SQLite, which uses the clock of this machine.
    pub async fn database_time(&self) -> Result<Option<Timestamp>, StoreError> {
        if matches!(self.db, db::Db::Sqlite { .. }) {
            return Ok(None);
        }
        let mut tx = self.read().await?;
        let sql = "select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)";
        let row = db::fetch_optional!(tx, (Timestamp,), sql)?;
        Ok(row.map(|(now,)| now))
    }

    /// Closes all connections. SQLite then merges its write-ahead log into the database file.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

impl Tx {
    /// Restricts this unit of work to the rows of one user.
    pub fn owned_by(&mut self, owner: UserId) -> Owned<'_> {
        Owned { tx: self, owner }
    }

    /// Extends this unit of work to all accounts. The caller has checked that an administrator or the operator acts, or
    /// has another reason that `tests/app/architecture/store_views.rs` lists.
    pub const fn admin(&mut self) -> Admin<'_> {
        Admin { tx: self }
    }

    /// Extends this unit of work to what the program itself works on. `tests/app/architecture/store_views.rs` lists the callers.
    pub const fn engine(&mut self) -> Engine<'_> {
        Engine { tx: self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_are_classified() {
        let classes = |codes: &[&str]| codes.iter().map(|code| classify_code(code)).collect::<Vec<_>>();
        // SQLITE_BUSY, _BUSY_SNAPSHOT, _IOERR_WRITE, _IOERR_FSYNC, _IOERR_SHMSIZE, _CANTOPEN; similar PostgreSQL codes.
        let transient = ["5", "517", "778", "1034", "4874", "14", "08006", "53300", "57P01", "55P03", "25006", "58030"];
        assert!(classes(&transient).iter().all(|class| matches!(class, ErrorClass::Transient)));
        assert!(classes(&["13", "53100"]).iter().all(|class| matches!(class, ErrorClass::Full)));
        // A constraint, a syntax error, a failed transaction, a five-digit code whose lowest byte is that of
        // SQLITE_FULL.
        assert!(
            classes(&["19", "1", "42601", "25P02", "23514", "22021", ""])
                .iter()
                .all(|class| matches!(class, ErrorClass::Other))
        );
    }
}
