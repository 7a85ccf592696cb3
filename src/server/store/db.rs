//! Runs one set of SQL statements on either SQLite or PostgreSQL.
//!
//! Each statement is written once, with `$n` placeholders. The macros below run it on the open database.

use std::{fs, os::unix::fs::OpenOptionsExt, path::Path, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Notify;

use super::StoreError;

/// How long a unit of work waits for a connection from the pool.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(4);

/// How long SQLite waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The open database. SQLite has one write connection, so that writers queue in the pool and not for the file lock.
#[derive(Debug, Clone)]
pub(super) enum Db {
    Sqlite { read: SqlitePool, write: SqlitePool },
    Postgres(PgPool),
}

/// A borrowed connection, used by the macros.
pub(super) enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
    /// No connection, because a statement of this transaction has failed.
    Failed,
}

/// One unit of work: a plain connection for reads, or a transaction for writes. A transaction is rolled back unless it
/// is committed.
///
/// After a statement has failed, the transaction cannot be used or committed. PostgreSQL would silently roll back on
/// such a commit. SQLite has already rolled back by itself after a full disk, an I/O error or a lack of memory, and
/// every further statement would be its own transaction.
///
/// Every statement can fail with a [`StoreError`], which the functions pass on. Their docs only name other errors.
#[must_use = "a transaction is rolled back unless it is committed"]
pub struct Tx {
    inner: Inner,
    has_failed: bool,
    /// Notified after the commit if a job was enqueued.
    job_notifier: Option<Arc<Notify>>,
    has_new_jobs: bool,
}

enum Inner {
    ReadSqlite(PoolConnection<Sqlite>),
    WriteSqlite(Transaction<'static, Sqlite>),
    ReadPostgres(PoolConnection<Postgres>),
    WritePostgres(Transaction<'static, Postgres>),
}

impl Tx {
    const fn new(inner: Inner) -> Self {
        Self { inner, has_failed: false, job_notifier: None, has_new_jobs: false }
    }

    /// Sets the notifier that wakes the job runner after a commit with new jobs.
    pub(super) fn with_job_notifier(self, job_notifier: Arc<Notify>) -> Self {
        Self { job_notifier: Some(job_notifier), ..self }
    }

    /// Wakes the job runner after the commit.
    pub(super) const fn notify_jobs_after_commit(&mut self) {
        self.has_new_jobs = true;
    }

    pub(super) fn conn(&mut self) -> Conn<'_> {
        if self.has_failed {
            return Conn::Failed;
        }
        match &mut self.inner {
            Inner::ReadSqlite(c) => Conn::Sqlite(c),
            Inner::WriteSqlite(c) => Conn::Sqlite(c),
            Inner::ReadPostgres(c) => Conn::Postgres(c),
            Inner::WritePostgres(c) => Conn::Postgres(c),
        }
    }

    /// Remembers whether a statement of this transaction failed, and returns the result unchanged.
    pub(super) fn record_result<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        let is_writing = matches!(self.inner, Inner::WriteSqlite(_) | Inner::WritePostgres(_));
        self.has_failed |= is_writing && result.is_err();
        result
    }

    /// Whether a statement of this transaction has failed.
    pub(super) const fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Whether the database is PostgreSQL, for the few statements that differ.
    pub(super) const fn is_postgres(&self) -> bool {
        matches!(self.inner, Inner::ReadPostgres(_) | Inner::WritePostgres(_))
    }

    /// Begins a part of the transaction that can be undone alone.
    pub(super) async fn set_savepoint(&mut self) -> Result<(), StoreError> {
        execute!(self, "savepoint part")?;
        Ok(())
    }

    /// Keeps what was done since the savepoint.
    pub(super) async fn release_savepoint(&mut self) -> Result<(), StoreError> {
        execute!(self, "release savepoint part")?;
        Ok(())
    }

    /// Undoes what was done since the savepoint, failed statements too. Fails if the database has undone the whole
    /// transaction.
    pub(super) async fn roll_back_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.has_failed = false;
        execute!(self, "rollback to savepoint part")?;
        self.release_savepoint().await
    }

    /// Commits the transaction. Returns after the database has written it to disk.
    ///
    /// # Errors
    /// Any [`StoreError`]. The transaction was rolled back, or its outcome is unknown because the connection was lost.
    /// Always fails if a statement of this transaction has failed.
    pub async fn commit(self) -> Result<(), StoreError> {
        if self.has_failed {
            return Err(failed_transaction().into());
        }
        match self.inner {
            Inner::WriteSqlite(tx) => tx.commit().await?,
            Inner::WritePostgres(tx) => tx.commit().await?,
            Inner::ReadSqlite(_) | Inner::ReadPostgres(_) => {}
        }
        if let Some(job_notifier) = self.job_notifier.filter(|_| self.has_new_jobs) {
            job_notifier.notify_one();
        }
        Ok(())
    }
}

/// The error for the use of a transaction in which a statement has failed: a bug in Colloquy.
pub(super) fn failed_transaction() -> sqlx::Error {
    sqlx::Error::InvalidArgument("a statement of this transaction has failed before".to_owned())
}

impl Db {
    /// Opens the SQLite file, and creates it if it is missing. Only the owner may read it; SQLite creates its other
    /// files with the same permissions.
    pub(super) async fn open_sqlite(file: &Path) -> Result<Self, StoreError> {
        let create = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file);
        create.map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged message must survive a power cut, which NORMAL does not guarantee in WAL mode.
            .synchronous(SqliteSynchronous::Full)
            // Deleted content is overwritten with zeros.
            .pragma("secure_delete", "on")
            .busy_timeout(BUSY_TIMEOUT)
            .statement_cache_capacity(64);
        // Unlike a server, a file does not disconnect, and each test costs a round trip to another thread.
        let pool = || SqlitePoolOptions::new().test_before_acquire(false);
        let write = pool()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // SQLite rolls a transaction back by itself when its disk is full or fails. The driver's own rollback then
            // fails too, and the driver still assumes an open transaction. Such a connection is closed.
            .after_release(|connection, _| {
                Box::pin(async move {
                    if connection.is_in_transaction() {
                        // The driver runs the pending rollback before it answers the ping.
                        connection.ping().await?;
                    }
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await?;
        let read = pool()
            .max_connections(4)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(Duration::from_secs(60))
            .connect_with(options.pragma("query_only", "on"))
            .await?;
        Ok(Self::Sqlite { read, write })
    }

    /// Connects to PostgreSQL.
    pub(super) async fn open_postgres(url: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?.application_name("colloquy");
        let pool = PgPoolOptions::new()
            .max_connections(16)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(Duration::from_secs(60));
        let pool = super::pooler::connect(pool, options).await?;
        Ok(Self::Postgres(pool))
    }

    pub(super) async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx::new(match self {
            Self::Sqlite { read, .. } => Inner::ReadSqlite(read.acquire().await?),
            Self::Postgres(pool) => Inner::ReadPostgres(pool.acquire().await?),
        }))
    }

    pub(super) async fn write(&self) -> Result<Tx, StoreError> {
        let db = self.clone();
        // In its own task, because the caller may be cancelled: if `begin` itself were dropped half way, sqlx would
        // leave the connection in an open transaction.
        let tx = tokio::spawn(async move { db.begin().await }).await;
        tx.unwrap_or_else(|_| Err(StoreError::from(sqlx::Error::WorkerCrashed)))
    }

    async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx::new(match self {
            Self::Sqlite { write, .. } => Inner::WriteSqlite(begin_immediate(write).await?),
            Self::Postgres(pool) => Inner::WritePostgres(pool.begin().await?),
        }))
    }

    /// Copies SQLite's write-ahead log into the file and truncates it; `false` if it is still being read. Does not wait
    /// for readers while it blocks writers. PostgreSQL does this by itself.
    pub(super) async fn checkpoint(&self) -> Result<bool, StoreError> {
        let Self::Sqlite { write, .. } = self else { return Ok(true) };
        // This copies most of the log without blocking writers.
        self.checkpoint_passively().await?;
        let write = write.clone();
        // In its own task, which completes even if the caller is cancelled: the busy timeout must be restored.
        let truncated = tokio::spawn(async move {
            let mut connection = write.acquire().await?;
            sqlx::query("pragma busy_timeout = 0").execute(&mut *connection).await?;
            let truncated = sqlx::query_as("pragma wal_checkpoint(truncate)").fetch_one(&mut *connection).await;
            sqlx::query(&format!("pragma busy_timeout = {}", BUSY_TIMEOUT.as_millis()))
                .execute(&mut *connection)
                .await?;
            truncated
        });
        let (is_busy, _, _): (i64, i64, i64) = truncated.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))?;
        Ok(is_busy == 0)
    }

    /// Copies SQLite's write-ahead log into the file without blocking writers, so that their commits need not do it.
    pub(super) async fn checkpoint_passively(&self) -> Result<(), StoreError> {
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

/// Begins a transaction on SQLite. A broken connection is not returned to the pool, and another one is tried once.
async fn begin_immediate(pool: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    use sqlx::Error::{BeginFailed, InvalidSavePointStatement, WorkerCrashed};
    match pool.begin_with("begin immediate").await {
        Err(error @ (BeginFailed | InvalidSavePointStatement | WorkerCrashed)) => {
            tracing::warn!(%error, "a database connection is broken; retrying with another one");
            pool.begin_with("begin immediate").await
        }
        other => other,
    }
}

/// Runs a statement. Returns the number of changed rows.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let result = match $tx.conn() {
            $crate::server::store::db::Conn::Sqlite(c) => {
                sqlx::query($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected())
            }
            $crate::server::store::db::Conn::Postgres(c) => {
                sqlx::query($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected())
            }
            $crate::server::store::db::Conn::Failed => Err($crate::server::store::db::failed_transaction()),
        };
        $tx.record_result(result)
    }};
}

/// Fetches at most one row.
macro_rules! fetch_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let result = match $tx.conn() {
            $crate::server::store::db::Conn::Sqlite(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(c).await
            }
            $crate::server::store::db::Conn::Postgres(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(c).await
            }
            $crate::server::store::db::Conn::Failed => Err($crate::server::store::db::failed_transaction()),
        };
        $tx.record_result(result)
    }};
}

/// Fetches all rows.
macro_rules! fetch_all {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let result = match $tx.conn() {
            $crate::server::store::db::Conn::Sqlite(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(c).await
            }
            $crate::server::store::db::Conn::Postgres(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(c).await
            }
            $crate::server::store::db::Conn::Failed => Err($crate::server::store::db::failed_transaction()),
        };
        $tx.record_result(result)
    }};
}

pub(super) use {execute, fetch_all, fetch_optional};

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens a new database with an empty table of texts.
    async fn open_with_texts(folder: &Path) -> Db {
        let db = Db::open_sqlite(&folder.join("db")).await.expect("a database");
        let mut tx = db.write().await.expect("a transaction");
        execute!(tx, "create table texts (text text not null)").expect("a table");
        tx.commit().await.expect("a commit");
        db
    }

    async fn insert(db: &Db, bytes: usize) -> Result<(), StoreError> {
        let mut tx = db.write().await?;
        execute!(tx, "insert into texts (text) values ($1)", "x".repeat(bytes))?;
        tx.commit().await
    }

    async fn count(db: &Db) -> i64 {
        let mut tx = db.read().await.expect("a connection");
        fetch_optional!(tx, (i64,), "select count(*) from texts").expect("a count").expect("a row").0
    }

    #[tokio::test]
    async fn b04_writes_work_again_after_a_full_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = open_with_texts(folder.path()).await;
        insert(&db, 10).await.expect("room");
        for _ in 0..3 {
            let mut tx = db.write().await.expect("a transaction");
            // Applies to this connection only, until it is closed.
            fetch_optional!(tx, (i64,), "pragma max_page_count = 1").expect("a limit");
            let full = execute!(tx, "insert into texts (text) values ($1)", "x".repeat(100_000));
            assert!(matches!(full.map_err(StoreError::from), Err(StoreError::Full)));
            // SQLite has rolled the transaction back by itself. Further statements must not run on their own.
            let after = execute!(tx, "insert into texts (text) values ('after')");
            assert!(after.is_err(), "a statement after a failed one");
            assert!(tx.commit().await.is_err(), "nothing is acknowledged");
            insert(&db, 100_000).await.expect("there is room again");
        }
        assert_eq!(count(&db).await, 4);
    }

    #[tokio::test]
    async fn b04_a_commit_after_a_failed_statement_fails() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = open_with_texts(folder.path()).await;
        let mut tx = db.write().await.expect("a transaction");
        execute!(tx, "insert into texts (text) values ('before')").expect("a row");
        execute!(tx, "insert into texts (text) values (null)").expect_err("null is not a text");
        tx.commit().await.expect_err("a partial transaction is not committed");
        assert_eq!(count(&db).await, 0);
        insert(&db, 10).await.expect("the next one");
    }

    #[tokio::test]
    async fn b04_a_broken_connection_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = open_with_texts(folder.path()).await;
        let Db::Sqlite { write, .. } = &db else { unreachable!("SQLite was opened") };
        // The driver assumes a transaction that SQLite has already rolled back.
        let mut connection = write.acquire().await.expect("a connection");
        let stuck = sqlx::Connection::begin(&mut *connection).await.expect("a transaction");
        std::mem::forget(stuck);
        sqlx::query("rollback").execute(&mut *connection).await.expect("a rollback");
        drop(connection);
        insert(&db, 10).await.expect("another connection");
        assert_eq!(count(&db).await, 1);
    }

    #[tokio::test]
    async fn b01_every_sqlite_connection_has_the_required_settings() {
        let folder = tempfile::tempdir().expect("a folder");
        use std::os::unix::fs::PermissionsExt;
        let file = folder.path().join("db");
        let Db::Sqlite { read, write } = Db::open_sqlite(&file).await.expect("a database") else {
            unreachable!("SQLite was opened");
        };
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for (pool, connections, query_only) in [(&read, 4, 1), (&write, 1, 0)] {
            // Held at the same time, so that the pool opens all of them.
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
