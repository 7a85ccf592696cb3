//! Connecting to PostgreSQL, straight or through a connection pooler such as PgBouncer.
//!
//! A pooler that hands a connection on after each transaction (`pool_mode = transaction`) forgets what belongs to a
//! session: the settings of the start, and prepared statements unless it keeps track of them (`max_prepared_statements`,
//! since PgBouncer 1.21). Without that, statements would fail now and then, or run in place of others. So it is tried out at the
//! start, which ends with what to change where it would not work.

use std::time::Duration;

use sqlx::{
    ConnectOptions, Connection, Executor, PgConnection, PgPool, Row,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

use super::StoreError;

/// A transaction that somebody forgot must not hold its locks for ever.
const TIMEOUTS: [(&str, &str); 3] =
    [("idle_in_transaction_session_timeout", "10s"), ("lock_timeout", "5s"), ("statement_timeout", "30s")];
/// How long the pooler may take to give us a second connection.
const SECOND: Duration = Duration::from_secs(3);
/// How often a transaction is begun to see whether it comes to another connection.
const LOOKS: usize = 4;

/// What is between us and the database.
#[derive(Debug, PartialEq, Eq)]
enum Pooling {
    /// A connection is ours until we close it.
    Session,
    /// It is another one for each transaction, and prepared statements come along.
    Transaction,
}

/// Opens a pool of connections.
///
/// # Errors
/// [`StoreError::Schema`] with what to change, where a pooler would lose prepared statements.
pub(super) async fn connect(pool: PgPoolOptions, options: PgConnectOptions) -> Result<PgPool, StoreError> {
    match pool.clone().connect_with(options.clone().options(TIMEOUTS)).await {
        Ok(opened) => {
            let set: String =
                sqlx::query_scalar("select current_setting('statement_timeout')").fetch_one(&opened).await?;
            if set == "30s" {
                return Ok(opened);
            }
            // Something in between has kept the settings to itself.
            opened.close().await;
        }
        Err(error) if is_refused_setting(&error) => {}
        Err(error) => return Err(error.into()),
    }
    // Numbers are read in binary, so nothing is lost without the digits.
    let options = options.extra_float_digits(None);
    match find_pooling(&options).await? {
        Pooling::Session => {
            tracing::info!("the database is behind a connection pooler that keeps sessions");
            let set = TIMEOUTS.map(|(name, value)| format!("set {name} = '{value}'")).join("; ");
            let pool = pool.after_connect(move |connection, _| {
                let set = set.clone();
                Box::pin(async move { connection.execute(sqlx::raw_sql(&set)).await.map(drop) })
            });
            Ok(pool.connect_with(options).await?)
        }
        Pooling::Transaction => {
            tracing::warn!(
                "the database is behind a connection pooler that hands connections on after each transaction, so \
                 time-outs cannot be set; set them for the role, as docs/running.md says"
            );
            Ok(pool.connect_with(options).await?)
        }
    }
}

/// Whether a pooler refuses the settings that we begin with.
fn is_refused_setting(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains("unsupported startup parameter"))
}

/// Tries out whether a connection stays ours, and whether prepared statements come along where it does not.
async fn find_pooling(options: &PgConnectOptions) -> Result<Pooling, StoreError> {
    let (mut one, mut two) = (options.connect().await?, options.connect().await?);
    let found = tokio::time::timeout(SECOND, try_out(&mut one, &mut two)).await;
    // Whatever is left of it is gone with the connections.
    drop((one.close_hard().await, two.close_hard().await));
    match found {
        Ok(found) => found,
        Err(_) => Err(StoreError::Schema(
            "the connection pooler before the database gives fewer than two connections at once, which is too few; \
             raise its `default_pool_size`, or give the address of PostgreSQL itself in `database_url`"
                .to_owned(),
        )),
    }
}

async fn try_out(one: &mut PgConnection, two: &mut PgConnection) -> Result<Pooling, StoreError> {
    // No statement of anybody else gives this answer.
    let token = Uuid::new_v4().to_string();
    let ask = format!("select pg_backend_pid(), '{token}'");
    // Both at once, so that the pooler has two connections to mix up.
    one.execute(sqlx::raw_sql("begin")).await?;
    two.execute(sqlx::raw_sql("begin; select 1")).await?;
    let first = server_of(one, &ask, &token).await?;
    one.execute(sqlx::raw_sql("commit")).await?;
    two.execute(sqlx::raw_sql("commit")).await?;
    for _ in 0..LOOKS {
        one.execute(sqlx::raw_sql("begin")).await?;
        let now = server_of(one, &ask, &token).await?;
        one.execute(sqlx::raw_sql("commit")).await?;
        if now != first {
            return Ok(Pooling::Transaction);
        }
    }
    Ok(Pooling::Session)
}

/// Which server process a prepared statement comes to.
async fn server_of(connection: &mut PgConnection, ask: &str, token: &str) -> Result<i32, StoreError> {
    let lost = || {
        StoreError::Schema(
            "the database is behind a connection pooler that hands connections on after each transaction and loses \
             prepared statements; set `max_prepared_statements = 200` in PgBouncer (1.21 or newer), or `pool_mode = session`, or \
             give the address of PostgreSQL itself in `database_url`"
                .to_owned(),
        )
    };
    match sqlx::query(ask).fetch_one(connection).await {
        Ok(row) => match (row.try_get::<i32, _>(0), row.try_get::<String, _>(1)) {
            (Ok(pid), Ok(answer)) if answer == token => Ok(pid),
            // Somebody else's statement of the same name.
            _ => Err(lost()),
        },
        // There is none of this name, or one already.
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("26000" | "42P05")) => Err(lost()),
        Err(error) => Err(error.into()),
    }
}
