//! What is kept. Statements live here and nowhere else.
//!
//! Work is done in units: [`Store::read`] for looking, [`Store::write`] for a transaction. The rows of a person
//! are reached only through [`Tx::owned_by`], whose statements all name the owner.

mod addresses;
mod audit;
mod chats;
mod credentials;
mod db;
mod deletions;
mod expiry;
mod export_rows;
mod exports;
mod factor_removals;
mod factors;
mod identities;
mod jobs;
mod links;
mod mails;
mod messages;
mod migrate;
mod owned;
mod pending_sign_ins;
mod people;
mod pooler;
mod profiles;
mod purge;
mod purge_slices;
mod reset_requests;
mod retention;
#[cfg(test)]
mod run_properties;
mod runs;
mod sealed;
mod sessions;
mod sign_ins;
mod slices;
mod throttles;
mod users;
mod words;
mod write_checks;

use std::{path::Path, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

use crate::domain::Timestamp;

pub use addresses::AddressState;
pub use audit::{AuditFilter, AuditRecord, AuditRow, NewAuditEntry};
pub use chats::{ChatRow, NewChat};
pub use credentials::CredentialsVersion;
pub use db::Tx;
pub use deletions::{DueDeletion, ReceiptRow};
pub use expiry::{EXPIRING, Expiring};
pub use export_rows::{ExportAccount, ExportChat, ExportSignIn};
pub use exports::ExportRow;
pub use factor_removals::DueRemoval;
pub use factors::{FactorRow, Material, NewFactor};
pub use identities::{FlowPurpose, FlowRow, IdentityOwner, IdentityRow, NewFlow, NewIdentity};
pub use jobs::ClaimedJob;
pub use links::{LinkPurpose, LinkRow, NewLink, TokenHash};
pub use mails::{FailingMail, NewMail, UnsentMail};
pub use messages::{MessageRow, NewMessage, Node, Part, PartKind};
pub use owned::Owned;
pub use pending_sign_ins::{CeremonyPurpose, NewCeremony, PendingSignIn};
pub use people::{PeopleCursor, PersonRow};
pub use profiles::ProfileRow;
pub use purge::{Holds, ID_COLUMNS, TABLES_WITHOUT_IDS};
pub use purge_slices::Counts;
pub use reset_requests::ResetRequest;
pub use retention::{RetentionRow, Rule, SilentChat};
pub use runs::{Claimed, Ending, NewRun, OpenRun, Progress, RunClaim};
pub use sealed::{SEALED_COLUMNS, SealedColumn, SecretKeyRow, sealed_context};
pub use sign_ins::{NewSignIn, SignInRow, SignedIn};
pub use users::{NewUser, UserRow};
pub use words::UnknownWord;

/// Times that it is tried to empty SQLite's log of changes, and the pause between them.
const CHECKPOINT_TRIES: u32 = 50;
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(100);

/// A fault of the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It does not answer, or has no free connection.
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Its disk is full.
    #[error("the disk of the database is full")]
    Full,
    /// A row with this key is there already.
    #[error("a row with this key exists")]
    Duplicate,
    /// The transaction was undone in favour of another one that it stood in the way of. Done anew it may succeed.
    #[error("the transaction was undone in favour of another one: {0}")]
    Deadlock(#[source] sqlx::Error),
    /// A row holds a word that this program does not know.
    #[error(transparent)]
    UnknownWord(#[from] UnknownWord),
    /// The schema is not one that this program can use.
    #[error("{0}")]
    Schema(String),
    /// Anything else: a fault of ours.
    #[error(transparent)]
    Other(sqlx::Error),
}

impl StoreError {
    /// Whether the same work may succeed later.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full | Self::Deadlock(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            // A server that goes away while a connection is made looks like one that speaks another protocol.
            E::PoolTimedOut | E::PoolClosed | E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed => {
                Self::Unavailable(error)
            }
            E::Database(inner) if inner.is_unique_violation() => Self::Duplicate,
            E::Database(inner) => match kind_of(inner.code().as_deref().unwrap_or_default()) {
                Kind::Passing => Self::Unavailable(error),
                Kind::Full => Self::Full,
                Kind::Deadlock => Self::Deadlock(error),
                Kind::Other => Self::Other(error),
            },
            _ => Self::Other(error),
        }
    }
}

/// What a code of the database means for whoever waits.
enum Kind {
    /// It may work again in a moment, or when somebody has looked after the database.
    Passing,
    /// The disk is full.
    Full,
    /// The transaction was undone in favour of another one.
    Deadlock,
    /// Anything else.
    Other,
}

/// Codes of SQLite are numbers, whose lowest byte is the primary code (<https://sqlite.org/rescode.html>); codes of PostgreSQL
/// have five characters (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn kind_of(code: &str) -> Kind {
    if let Ok(number) = code.parse::<u32>()
        && code.len() < 5
    {
        return match number & 0xff {
            // BUSY, LOCKED, NOMEM, READONLY, IOERR, CANTOPEN, PROTOCOL.
            5 | 6 | 7 | 8 | 10 | 14 | 15 => Kind::Passing,
            13 => Kind::Full,
            _ => Kind::Other,
        };
    }
    match code {
        "53100" => Kind::Full,
        // A deadlock, a serialization failure.
        "40P01" | "40001" => Kind::Deadlock,
        // A standby or a database that was made read-only, lock and statement timeouts, I/O errors.
        "25006" | "25P03" | "42501" | "55P03" | "57014" | "58030" => Kind::Passing,
        // Connection exceptions, sign-ins that are refused, a database that is not there, lack of resources, interventions by
        // the operator, faults of the server: none of them is about what was to be written.
        _ if ["08", "28", "3D", "53", "57P", "XX"].iter().any(|class| code.starts_with(class)) => Kind::Passing,
        _ => Kind::Other,
    }
}

/// The open database, migrated; and what wakes the process when a job was enqueued.
#[derive(Debug, Clone)]
pub struct Store(db::Db, Arc<Notify>);

impl Store {
    /// Opens PostgreSQL where a URL is given, else the file `colloquy.db` in the data folder, and migrates it.
    ///
    /// # Errors
    /// [`StoreError::Schema`] where a migration was half applied or the schema is newer than this program.
    pub async fn open(data: &Path, url: Option<&SecretString>) -> Result<Self, StoreError> {
        let db = match url {
            Some(url) => db::Db::open_postgres(url.expose_secret()).await?,
            None => db::Db::open_sqlite(&data.join("colloquy.db")).await?,
        };
        migrate::run(&db).await?;
        Ok(Self(db, Arc::default()))
    }

    /// Begins looking.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] within 4 s where no connection is free.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        self.0.read().await
    }

    /// Begins a transaction. Nobody may call a model or the network while it is open.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn write(&self) -> Result<Tx, StoreError> {
        Ok(self.0.write().await?.waking(Arc::clone(&self.1)))
    }

    /// Comes back when this process has enqueued a job since the last time.
    pub async fn job_enqueued(&self) {
        self.1.notified().await;
    }

    /// Empties SQLite's log of changes, so that what was deleted is in no file any more. Tries for some seconds where somebody
    /// works with it; after that SQLite does it by itself, in its time.
    pub async fn checkpoint(&self) -> Result<(), StoreError> {
        for _ in 0..CHECKPOINT_TRIES {
            if self.0.checkpoint().await? {
                return Ok(());
            }
            tokio::time::sleep(CHECKPOINT_PAUSE).await;
        }
        tracing::warn!("the database's log of changes could not be emptied yet, because it is being read");
        Ok(())
    }

    /// Whether something can be written: writes a row.
    pub async fn check_write(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        tx.write_check(now).await?;
        tx.commit().await
    }

    /// What time it is by the database's clock; `None` for SQLite, which has that of this machine.
    pub async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        if matches!(self.0, db::Db::Sqlite { .. }) {
            return Ok(None);
        }
        let mut tx = self.read().await?;
        let sql = "select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)";
        let row = db::fetch_optional!(tx, (Timestamp,), sql)?;
        Ok(row.map(|(now,)| now))
    }

    /// Closes all connections, which folds SQLite's log into its file.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

impl Tx {
    /// The rows of one person.
    pub fn owned_by(&mut self, owner: crate::domain::UserId) -> Owned<'_> {
        Owned { tx: self, owner }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_database_say_what_may_pass() {
        let kinds = |codes: &[&str]| codes.iter().map(|code| kind_of(code)).collect::<Vec<_>>();
        // SQLITE_BUSY, _BUSY_SNAPSHOT, _IOERR_WRITE, _IOERR_FSYNC, _IOERR_SHMSIZE, _CANTOPEN; PostgreSQL's of the same kind.
        let passing = ["5", "517", "778", "1034", "4874", "14", "08006", "53300", "57P01", "55P03", "25006", "58030"];
        assert!(kinds(&passing).iter().all(|kind| matches!(kind, Kind::Passing)));
        assert!(kinds(&["13", "53100"]).iter().all(|kind| matches!(kind, Kind::Full)));
        // A constraint, a syntax error, a failed transaction, a code of five digits whose lowest byte is that of SQLITE_FULL.
        assert!(
            kinds(&["19", "1", "42601", "25P02", "23514", "22021", ""]).iter().all(|kind| matches!(kind, Kind::Other))
        );
    }
}
