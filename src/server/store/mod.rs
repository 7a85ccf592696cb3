//! What is kept. Statements live here and nowhere else.
//!
//! Work is done in units: [`Store::read`] for looking, [`Store::write`] for a transaction. The rows of a person
//! are reached only through [`Tx::owned_by`], whose statements all name the owner.

mod addresses;
mod audit;
mod chats;
mod db;
mod deletions;
mod expiry;
mod export_rows;
mod exports;
mod factor_removals;
mod factors;
mod identities;
mod links;
mod mails;
mod messages;
mod migrate;
mod owned;
mod pending_sign_ins;
mod people;
mod profiles;
mod purge;
mod purge_slices;
mod retention;
mod runs;
mod sealed;
mod sessions;
mod sign_ins;
mod slices;
mod throttles;
mod users;

use std::{path::Path, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use crate::domain::Timestamp;

pub use addresses::AddressState;
pub use audit::{AuditFilter, AuditRecord, AuditRow, NewAuditEntry};
pub use chats::{ChatRow, NewChat};
pub use db::Tx;
pub use deletions::{DueDeletion, ReceiptRow};
pub use expiry::{EXPIRING, Expiring};
pub use export_rows::{ExportAccount, ExportChat, ExportMessage, ExportSignIn};
pub use exports::ClaimedExport;
pub use factor_removals::DueRemoval;
pub use factors::{FactorRow, Material, NewFactor};
pub use identities::{FlowPurpose, FlowRow, IdentityRow, NewFlow, NewIdentity};
pub use links::{LinkPurpose, LinkRow, NewLink, TokenHash};
pub use mails::{ClaimedMail, FailingMail, NewMail};
pub use messages::{MessageRow, NewMessage};
pub use owned::Owned;
pub use pending_sign_ins::{CeremonyPurpose, NewCeremony, PendingSignIn};
pub use people::{PeopleCursor, PersonRow};
pub use profiles::ProfileRow;
pub use purge::{Counts, Holds, ID_COLUMNS, TABLES_WITHOUT_IDS};
pub use retention::{RetentionRow, Rule, SilentChat};
pub use runs::{Claimed, Ending, NewRun, OpenRun, Progress};
pub use sealed::{SEALED_COLUMNS, SealedColumn, SecretKeyRow, sealed_context};
pub use sign_ins::{NewSignIn, SignInRow, SignedIn};
pub use users::{NewUser, UserRow};

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
    /// The schema is not one that this program can use.
    #[error("{0}")]
    Schema(String),
    /// Anything else: a fault of ours.
    #[error(transparent)]
    Other(sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::PoolTimedOut | E::PoolClosed | E::Io(_) | E::Tls(_) | E::WorkerCrashed => Self::Unavailable(error),
            E::Database(inner) if inner.is_unique_violation() => Self::Duplicate,
            E::Database(inner) => match inner.code().as_deref() {
                // SQLite: BUSY, LOCKED and their extended forms. PostgreSQL: shutdown, too many connections, lock timeout.
                Some("5" | "6" | "261" | "517" | "57P01" | "57P02" | "57P03" | "53300" | "55P03" | "57014") => {
                    Self::Unavailable(error)
                }
                Some("13" | "53100") => Self::Full,
                // PostgreSQL: deadlock, serialization failure.
                Some("40P01" | "40001") => Self::Deadlock(error),
                _ => Self::Other(error),
            },
            _ => Self::Other(error),
        }
    }
}

/// The open database, migrated.
#[derive(Debug, Clone)]
pub struct Store(db::Db);

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
        Ok(Self(db))
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
        self.0.write().await
    }

    /// Empties SQLite's log of changes, so that what was deleted is in no file any more. Tries for some seconds where somebody
    /// works with it; after that SQLite does it by itself, in its time.
    ///
    /// # Errors
    /// As the database says.
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

    /// Whether the database answers.
    ///
    /// # Errors
    /// As the database says.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.read().await?;
        db::fetch_optional!(tx, (i64,), "select cast(1 as bigint)")?;
        Ok(())
    }

    /// What time it is by the database's clock; `None` for SQLite, which has that of this machine.
    ///
    /// # Errors
    /// As the database says.
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
