//! The two databases behind one set of statements.
//!
//! A statement is written once, with `$n` placeholders, and the macros below run it on whichever database is open.

use std::{fs, os::unix::fs::OpenOptionsExt, path::Path, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Notify;

use super::StoreError;

/// How long a unit of work waits for a connection before it is refused.
const ACQUIRE: Duration = Duration::from_secs(4);

/// How long SQLite waits for the lock of another process.
const BUSY: Duration = Duration::from_secs(5);

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
    /// None: a statement of this transaction has failed.
    Failed,
}

/// One unit of work. Reading ones are plain connections; writing ones are transactions that are undone
/// unless committed.
///
/// A transaction in which a statement failed cannot be used any more, and cannot be committed. PostgreSQL would answer
/// such a commit with a silent rollback. SQLite has undone the transaction by itself after a full disk, an I/O error or
/// a lack of memory, and further statements would each be a transaction of their own.
///
/// Every statement may fail with a [`StoreError`], and whoever runs one passes that on. Functions name an error only where
/// it is another.
#[must_use = "what is not committed is undone"]
pub struct Tx {
    inner: Inner,
    has_failed: bool,
    /// Woken after the commit, where a job was enqueued.
    jobs: Option<Arc<Notify>>,
    has_jobs: bool,
}

enum Inner {
    ReadSqlite(PoolConnection<Sqlite>),
    WriteSqlite(Transaction<'static, Sqlite>),
    ReadPostgres(PoolConnection<Postgres>),
    WritePostgres(Transaction<'static, Postgres>),
}

impl Tx {
    const fn new(inner: Inner) -> Self {
        Self { inner, has_failed: false, jobs: None, has_jobs: false }
    }

    /// Wakes somebody after a commit with jobs.
    pub(super) fn waking(self, jobs: Arc<Notify>) -> Self {
        Self { jobs: Some(jobs), ..self }
    }

    /// There will be a job to run once this is committed.
    pub(super) const fn wake_jobs(&mut self) {
        self.has_jobs = true;
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

    /// Takes note of how a statement ended.
    pub(super) fn note<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        let is_writing = matches!(self.inner, Inner::WriteSqlite(_) | Inner::WritePostgres(_));
        self.has_failed |= is_writing && done.is_err();
        done
    }

    /// Makes the work of a writing unit last. Returns when the database has it on disk.
    ///
    /// # Errors
    /// As the database says; then nothing of it was kept, or the connection broke and it is not known. Also where a
    /// statement of this unit has failed: then nothing of it is kept.
    pub async fn commit(self) -> Result<(), StoreError> {
        if self.has_failed {
            return Err(failed().into());
        }
        match self.inner {
            Inner::WriteSqlite(tx) => tx.commit().await?,
            Inner::WritePostgres(tx) => tx.commit().await?,
            Inner::ReadSqlite(_) | Inner::ReadPostgres(_) => {}
        }
        if let Some(jobs) = self.jobs.filter(|_| self.has_jobs) {
            jobs.notify_one();
        }
        Ok(())
    }
}

/// What is told where a transaction is used after one of its statements has failed: a fault of ours.
pub(super) fn failed() -> sqlx::Error {
    sqlx::Error::InvalidArgument("a statement of this transaction has failed before".to_owned())
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
            .busy_timeout(BUSY)
            .statement_cache_capacity(64);
        // A file does not go away like a server does: asking each time whether it is still there costs a way to another
        // thread and back.
        let pool = || SqlitePoolOptions::new().test_before_acquire(false);
        let write = pool()
            .max_connections(1)
            .acquire_timeout(ACQUIRE)
            // SQLite undoes a transaction by itself when its disk is full or fails. The driver's own rollback then fails
            // too, and it goes on believing that it is inside of a transaction: such a connection is closed.
            .after_release(|connection, _| {
                Box::pin(async move {
                    if connection.is_in_transaction() {
                        // The rollback of what was not committed is done before this is answered.
                        connection.ping().await?;
                    }
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await?;
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
        let options = PgConnectOptions::from_str(url)?.application_name("colloquy");
        let pool =
            PgPoolOptions::new().max_connections(16).acquire_timeout(ACQUIRE).idle_timeout(Duration::from_secs(60));
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
        // In a task of its own, which whoever waits for it may drop: where `begin` itself is dropped half way, sqlx leaves its
        // connection inside a transaction that nobody ends.
        let begun = tokio::spawn(async move { db.begin().await }).await;
        begun.unwrap_or_else(|_| Err(StoreError::from(sqlx::Error::WorkerCrashed)))
    }

    async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx::new(match self {
            Self::Sqlite { write, .. } => Inner::WriteSqlite(begin_immediate(write).await?),
            Self::Postgres(pool) => Inner::WritePostgres(pool.begin().await?),
        }))
    }

    /// Writes SQLite's log of changes into the file and empties it; `false` where somebody still reads from it. Waits for nobody
    /// while it keeps others from writing. PostgreSQL clears away by itself.
    pub(super) async fn checkpoint(&self) -> Result<bool, StoreError> {
        let Self::Sqlite { write, .. } = self else { return Ok(true) };
        // Most of it is copied beside those who write.
        self.copy_log().await?;
        let write = write.clone();
        // In a task of its own, which comes to its end whoever waits for it: the connection gets its patience back.
        let emptied = tokio::spawn(async move {
            let mut connection = write.acquire().await?;
            sqlx::query("pragma busy_timeout = 0").execute(&mut *connection).await?;
            let emptied = sqlx::query_as("pragma wal_checkpoint(truncate)").fetch_one(&mut *connection).await;
            sqlx::query(&format!("pragma busy_timeout = {}", BUSY.as_millis())).execute(&mut *connection).await?;
            emptied
        });
        let (is_busy, _, _): (i64, i64, i64) = emptied.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))?;
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

/// Begins a transaction on SQLite. A connection that turns out to be of no use is not given back, and another one is
/// tried once.
async fn begin_immediate(pool: &SqlitePool) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
    use sqlx::Error::{BeginFailed, InvalidSavePointStatement, WorkerCrashed};
    match pool.begin_with("begin immediate").await {
        Err(error @ (BeginFailed | InvalidSavePointStatement | WorkerCrashed)) => {
            tracing::warn!(%error, "a connection to the database was of no use; opening another one");
            pool.begin_with("begin immediate").await
        }
        other => other,
    }
}

/// Runs a statement; gives the number of rows that it changed.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let done = match $tx.conn() {
            $crate::server::store::db::Conn::Sqlite(c) => {
                sqlx::query($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected())
            }
            $crate::server::store::db::Conn::Postgres(c) => {
                sqlx::query($sql)$(.bind($bind))*.execute(c).await.map(|done| done.rows_affected())
            }
            $crate::server::store::db::Conn::Failed => Err($crate::server::store::db::failed()),
        };
        $tx.note(done)
    }};
}

/// Reads at most one row.
macro_rules! fetch_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let done = match $tx.conn() {
            $crate::server::store::db::Conn::Sqlite(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(c).await
            }
            $crate::server::store::db::Conn::Postgres(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_optional(c).await
            }
            $crate::server::store::db::Conn::Failed => Err($crate::server::store::db::failed()),
        };
        $tx.note(done)
    }};
}

/// Reads all rows.
macro_rules! fetch_all {
    ($tx:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {{
        let done = match $tx.conn() {
            $crate::server::store::db::Conn::Sqlite(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(c).await
            }
            $crate::server::store::db::Conn::Postgres(c) => {
                sqlx::query_as::<_, $row>($sql)$(.bind($bind))*.fetch_all(c).await
            }
            $crate::server::store::db::Conn::Failed => Err($crate::server::store::db::failed()),
        };
        $tx.note(done)
    }};
}

pub(super) use {execute, fetch_all, fetch_optional};

#[cfg(test)]
mod tests {
    use super::*;

    /// A new database with a table of texts, and a function that writes one of a length.
    async fn with_texts(folder: &Path) -> Db {
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
    async fn b04_after_a_full_disk_writing_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = with_texts(folder.path()).await;
        insert(&db, 10).await.expect("room");
        for _ in 0..3 {
            let mut tx = db.write().await.expect("a transaction");
            // Holds for this connection alone, and so until it is closed.
            fetch_optional!(tx, (i64,), "pragma max_page_count = 1").expect("a limit");
            let full = execute!(tx, "insert into texts (text) values ($1)", "x".repeat(100_000));
            assert!(matches!(full.map_err(StoreError::from), Err(StoreError::Full)));
            // SQLite has undone the transaction by itself. What follows must not be a transaction of its own.
            let after = execute!(tx, "insert into texts (text) values ('after')");
            assert!(after.is_err(), "a statement after the one that failed");
            assert!(tx.commit().await.is_err(), "nothing is acknowledged");
            insert(&db, 100_000).await.expect("there is room again");
        }
        assert_eq!(count(&db).await, 4);
    }

    #[tokio::test]
    async fn b04_a_commit_after_a_failed_statement_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = with_texts(folder.path()).await;
        let mut tx = db.write().await.expect("a transaction");
        execute!(tx, "insert into texts (text) values ('before')").expect("a row");
        execute!(tx, "insert into texts (text) values (null)").expect_err("a text that is none");
        tx.commit().await.expect_err("part of a unit is not kept");
        assert_eq!(count(&db).await, 0);
        insert(&db, 10).await.expect("the next one");
    }

    #[tokio::test]
    async fn b04_a_connection_that_is_stuck_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let db = with_texts(folder.path()).await;
        let Db::Sqlite { write, .. } = &db else { unreachable!("SQLite was opened") };
        // The driver believes in a transaction that SQLite does not have any more.
        let mut connection = write.acquire().await.expect("a connection");
        let stuck = sqlx::Connection::begin(&mut *connection).await.expect("a transaction");
        std::mem::forget(stuck);
        sqlx::query("rollback").execute(&mut *connection).await.expect("a rollback");
        drop(connection);
        insert(&db, 10).await.expect("another connection");
        assert_eq!(count(&db).await, 1);
    }

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
