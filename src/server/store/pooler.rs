//! Connects to PostgreSQL, directly or through a connection pooler such as PgBouncer.
//!
//! A pooler that reassigns connections after each transaction (`pool_mode = transaction`) loses session state: the
//! startup settings, and prepared statements unless it tracks them (`max_prepared_statements`, since PgBouncer 1.21).
//! Without tracking, statements would occasionally fail or run instead of others. So the pooler is tested at startup,
//! which fails with an instruction if prepared statements would be lost.

use std::time::Duration;

use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

use super::StoreError;

/// Session timeouts, so that an abandoned transaction does not hold its locks permanently.
const SESSION_TIMEOUTS: [(&str, &str); 3] =
    [("idle_in_transaction_session_timeout", "10s"), ("lock_timeout", "5s"), ("statement_timeout", "30s")];
/// How long the test of the pooler, which needs a second connection, may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// How many transactions are begun to check whether the pooler assigns another server connection.
const PROBE_TRANSACTIONS: usize = 4;

/// The mode of the pooler.
#[derive(Debug, PartialEq, Eq)]
enum PoolMode {
    /// A server connection stays assigned until the client disconnects.
    Session,
    /// Each transaction may get another server connection. Prepared statements are preserved.
    Transaction,
}

/// Opens a pool of connections.
///
/// # Errors
/// [`StoreError::Schema`] with an instruction for the operator if a pooler would lose prepared statements.
pub(super) async fn connect(pool: PgPoolOptions, options: PgConnectOptions) -> Result<PgPool, StoreError> {
    match pool.clone().connect_with(options.clone().options(SESSION_TIMEOUTS)).await {
        Ok(opened) => {
            let set: String =
                sqlx::query_scalar("select current_setting('statement_timeout')").fetch_one(&opened).await?;
            if set == "30s" {
                return Ok(opened);
            }
            // A pooler has ignored the startup settings.
            opened.close().await;
        }
        Err(error) if is_refused_setting(&error) => {}
        Err(error) => return Err(error.into()),
    }
    // Numbers are transferred in binary, so this setting is not needed.
    let options = options.extra_float_digits(None);
    match detect_pool_mode(&options).await? {
        PoolMode::Session => {
            tracing::info!("the database is behind a connection pooler in session mode");
            let set = SESSION_TIMEOUTS.map(|(name, value)| format!("set {name} = '{value}'")).join("; ");
            let pool = pool.after_connect(move |connection, _| {
                let set = set.clone();
                Box::pin(async move { connection.execute(sqlx::raw_sql(&set)).await.map(drop) })
            });
            Ok(pool.connect_with(options).await?)
        }
        PoolMode::Transaction => {
            tracing::warn!(
                "the database is behind a connection pooler in transaction mode, so timeouts cannot be set; \
                 set them for the database role, see docs/running.md"
            );
            Ok(pool.connect_with(options).await?)
        }
    }
}

/// Whether a pooler rejects the startup settings.
fn is_refused_setting(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains("unsupported startup parameter"))
}

/// Detects whether a server connection stays assigned, and if not, whether prepared statements are preserved.
async fn detect_pool_mode(options: &PgConnectOptions) -> Result<PoolMode, StoreError> {
    let (mut one, mut two) = (options.connect().await?, options.connect().await?);
    let detected = tokio::time::timeout(PROBE_TIMEOUT, probe(&mut one, &mut two)).await;
    // Closing the connections rolls back open transactions.
    drop((one.close_hard().await, two.close_hard().await));
    match detected {
        Ok(detected) => detected,
        Err(_) => Err(StoreError::Schema(
            "the connection pooler in front of the database allows fewer than two concurrent connections; \
             increase its `default_pool_size`, or set `database_url` to the address of PostgreSQL itself"
                .to_owned(),
        )),
    }
}

async fn probe(one: &mut PgConnection, two: &mut PgConnection) -> Result<PoolMode, StoreError> {
    // No statement of another client returns this token.
    let token = Uuid::new_v4().to_string();
    let sql = format!("select pg_backend_pid(), '{token}'");
    // Two open transactions at the same time, so that the pooler has two server connections to mix up.
    one.execute(sqlx::raw_sql("begin")).await?;
    two.execute(sqlx::raw_sql("begin; select 1")).await?;
    let first = backend_pid(one, &sql, &token).await?;
    one.execute(sqlx::raw_sql("commit")).await?;
    two.execute(sqlx::raw_sql("commit")).await?;
    for _ in 0..PROBE_TRANSACTIONS {
        one.execute(sqlx::raw_sql("begin")).await?;
        let current = backend_pid(one, &sql, &token).await?;
        one.execute(sqlx::raw_sql("commit")).await?;
        if current != first {
            return Ok(PoolMode::Transaction);
        }
    }
    Ok(PoolMode::Session)
}

/// The process id of the server that runs a prepared statement.
async fn backend_pid(connection: &mut PgConnection, sql: &str, token: &str) -> Result<i32, StoreError> {
    let lost = || {
        StoreError::Schema(
            "the database is behind a connection pooler in transaction mode that loses prepared statements; \
             set `max_prepared_statements = 200` in PgBouncer (1.21 or newer), or `pool_mode = session`, or \
             set `database_url` to the address of PostgreSQL itself"
                .to_owned(),
        )
    };
    match sqlx::query(sql).fetch_one(connection).await {
        Ok(row) => match (row.try_get::<i32, _>(0), row.try_get::<String, _>(1)) {
            (Ok(pid), Ok(answer)) if answer == token => Ok(pid),
            // Another client's statement of the same name.
            _ => Err(lost()),
        },
        // The name is unknown, or already in use.
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("26000" | "42P05")) => Err(lost()),
        Err(error) => Err(error.into()),
    }
}
