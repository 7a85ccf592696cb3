//! The two databases behind one set of statements.
//!
//! A statement is written once, with `$n` placeholders, and the macros below run it on whichever database is open.

use std::{fs, os::unix::fs::OpenOptionsExt, path::Path, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::StoreError;

/// How long a unit of work waits for a connection before it is refused.
const ACQUIRE: Duration = Duration::from_secs(4);

/// The open database. SQLite has one writing connection, so that writers queue here and not in the file's lock.
#[derive(Debug, Clone)]
pub(super) enum Db {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres(PgPool),
}

/// A borrowed connection, for the macros.
pub(super) enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// One unit of work. Reading ones are plain connections; writing ones are transactions that are undone
/// unless committed.
pub struct Tx(Inner);

enum Inner {
    ReadSqlite(PoolConnection<Sqlite>),
    WriteSqlite(Transaction<'static, Sqlite>),
    ReadPostgres(PoolConnection<Postgres>),
    WritePostgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub(super) fn conn(&mut self) -> Conn<'_> {
        match &mut self.0 {
            Inner::ReadSqlite(c) => Conn::Sqlite(c),
            Inner::WriteSqlite(c) => Conn::Sqlite(c),
            Inner::ReadPostgres(c) => Conn::Postgres(c),
            Inner::WritePostgres(c) => Conn::Postgres(c),
        }
    }

    /// Makes the work of a writing unit last. Returns when the database has it on disk.
    ///
    /// # Errors
    /// As the database says; then nothing of it was kept, or the connection broke and it is not known.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.0 {
            Inner::WriteSqlite(tx) => tx.commit().await?,
            Inner::WritePostgres(tx) => tx.commit().await?,
            Inner::ReadSqlite(_) | Inner::ReadPostgres(_) => {}
        }
        Ok(())
    }
}

impl Db {
    /// Opens (and creates) the SQLite file. Nobody else may read it; SQLite gives its other files the same permissions.
    pub(super) async fn open_sqlite(file: &Path) -> Result<Self, StoreError> {
        let create = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file);
        create.map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged message must survive a power cut, which NORMAL does not promise in WAL mode.
            .synchronous(SqliteSynchronous::Full)
            // What is deleted is overwritten, and not only forgotten.
            .pragma("secure_delete", "on")
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(64);
        // A file does not go away like a server does: asking each time whether it is still there costs a way to another
        // thread and back.
        let pool = || SqlitePoolOptions::new().test_before_acquire(false);
        let write = pool().max_connections(1).acquire_timeout(ACQUIRE).connect_with(options.clone()).await?;
        let read = pool()
            .max_connections(4)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(Duration::from_secs(60))
            .connect_with(options.pragma("query_only", "on"))
            .await?;
        Ok(Self::Sqlite { read, write })
    }

    /// Connects to PostgreSQL.
    pub(super) async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("colloquy")
            // A transaction that somebody forgot must not hold its locks for ever.
            .options([
                ("idle_in_transaction_session_timeout", "10s"),
                ("lock_timeout", "5s"),
                ("statement_timeout", "30s"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(ACQUIRE)
            .idle_timeout(Duration::from_secs(60))
            .connect_with(options)
            .await?;
        Ok(Self::Postgres(pool))
    }

    pub(super) async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx(match self {
            Self::Sqlite { read, .. } => Inner::ReadSqlite(read.acquire().await?),
            Self::Postgres(pool) => Inner::ReadPostgres(pool.acquire().await?),
        }))
    }

    pub(super) async fn write(&self) -> Result<Tx, StoreError> {
        let db = self.clone();
        // In a task of its own, which whoever waits for it may drop: where `begin` itself is dropped half way, sqlx leaves its
        // connection inside a transaction that nobody ends.
        let begun = tokio::spawn(async move { db.begin().await }).await;
        begun.unwrap_or_else(|_| Err(StoreError::from(sqlx::Error::WorkerCrashed)))
    }

    async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx(match self {
            Self::Sqlite { write, .. } => Inner::WriteSqlite(write.begin_with("begin immediate").await?),
            Self::Postgres(pool) => Inner::WritePostgres(pool.begin().await?),
        }))
    }

    /// Writes SQLite's log of changes into the file and empties it; `false` where somebody still works with it. Waits for nobody
    /// while it keeps others from writing. PostgreSQL clears away by itself.
    pub(super) async fn checkpoint(&self) -> Result<bool, StoreError> {
        let Self::Sqlite { write, .. } = self else { return Ok(true) };
        // Most of it is copied beside those who write.
        self.copy_log().await?;
        let options = write.connect_options().as_ref().clone().busy_timeout(Duration::ZERO);
        let mut connection = options.connect().await?;
        let emptied = sqlx::query_as("pragma wal_checkpoint(truncate)").fetch_one(&mut connection).await;
        connection.close().await?;
        let (is_busy, _, _): (i64, i64, i64) = emptied?;
        Ok(is_busy == 0)
    }

    /// Copies SQLite's log of changes into the file beside whoever writes, so that their commits need not.
    pub(super) async fn copy_log(&self) -> Result<(), StoreError> {
        if let Self::Sqlite { read, .. } = self {
            sqlx::query("pragma wal_checkpoint(passive)").execute(read).await?;
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Runs a statement; gives the number of rows that it changed.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $tx.conn() {
            $crate::server::store::db::Conn::Sqlite(c) => {
                sqlx::query($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected())
            }
            $crate::server::store::db::Conn::Postgres(c) => {
                sqlx::query($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected())
            }
        }
    };
}

/// Reads at most one row.
macro_rules! fetch_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $tx.conn() {
            $crate::server::store::db::Conn::Sqlite(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(c).await
            }
            $crate::server::store::db::Conn::Postgres(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(c).await
            }
        }
    };
}

/// Reads all rows.
macro_rules! fetch_all {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $tx.conn() {
            $crate::server::store::db::Conn::Sqlite(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(c).await
            }
            $crate::server::store::db::Conn::Postgres(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(c).await
            }
        }
    };
}

pub(super) use {execute, fetch_all, fetch_optional};

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn b01_every_sqlite_connection_has_the_settings_that_were_decided() {
        let folder = tempfile::tempdir().expect("a folder");
        use std::os::unix::fs::PermissionsExt;
        let file = folder.path().join("db");
        let Db::Sqlite { read, write } = Db::open_sqlite(&file).await.expect("a database") else {
            unreachable!("SQLite was opened");
        };
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for (pool, connections, query_only) in [(&read, 4, 1), (&write, 1, 0)] {
            // Held together, so that each is another one.
            let mut held = Vec::new();
            for _ in 0..connections {
                held.push(pool.acquire().await.expect("a connection"));
            }
            for connection in &mut held {
                let mut pragma = async |name: &str| {
                    let sql = format!("select cast({name} as text) from pragma_{name}");
                    sqlx::query_scalar::<_, String>(&sql).fetch_one(&mut **connection).await.expect("a pragma")
                };
                assert_eq!(pragma("journal_mode").await, "wal");
                assert_eq!(pragma("foreign_keys").await, "1");
                assert_eq!(pragma("synchronous").await, "2", "FULL");
                assert_eq!(pragma("secure_delete").await, "1");
                assert_eq!(pragma("query_only").await, query_only.to_string());
                let busy = sqlx::query_scalar::<_, i64>("select timeout from pragma_busy_timeout");
                assert_eq!(busy.fetch_one(&mut **connection).await.expect("a pragma"), 5_000);
            }
        }
    }
}
