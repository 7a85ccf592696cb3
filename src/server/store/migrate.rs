//! Database migrations, which run at startup, one process at a time.

use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    migrate::{MigrateError, Migrator},
};

use super::{StoreError, db::Db};

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");

/// Takes the advisory lock that is held during migrations. The number is arbitrary, but no other program may use it in
/// the same database.
const LOCK: &str = "set local lock_timeout = '120s';
    set local statement_timeout = '130s';
    set local idle_in_transaction_session_timeout = 0;
    select pg_advisory_xact_lock(4824371023877113)";

/// Applies the missing migrations. [`LOCK`] excludes other processes on PostgreSQL. SQLite has one write connection per
/// process, and the migrator's table makes a second process wait for the file lock.
pub(super) async fn run(db: &Db) -> Result<(), StoreError> {
    let result = match db {
        Db::Sqlite { write, .. } => SQLITE.run(write).await,
        Db::Postgres(pool) => run_on_postgres(pool).await,
    };
    result.map_err(|error| match error {
        MigrateError::VersionMissing(version) => StoreError::Schema(format!(
            "the database was written by a newer Colloquy (it has the unknown migration {version}); start that version, or restore a backup"
        )),
        MigrateError::Dirty(version) => StoreError::Schema(format!(
            "migration {version} was only partly applied; restore a backup from before it, or ask for help with this error message"
        )),
        MigrateError::VersionMismatch(version) => StoreError::Schema(format!(
            "migration {version} of the database differs from the one of this version; it was applied by a build that was never released"
        )),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => StoreError::from(error),
        other => StoreError::Schema(other.to_string()),
    })
}

fn postgres() -> Migrator {
    sqlx::migrate!("migrations/postgres")
}

/// The migrator's own advisory lock belongs to a session, which a connection pooler may share. [`LOCK`] belongs to a
/// transaction on a second connection.
async fn run_on_postgres(pool: &PgPool) -> Result<(), MigrateError> {
    let mut holder = pool.begin().await?;
    holder.execute(sqlx::raw_sql(LOCK)).await?;
    let options = pool.connect_options();
    let mut own = PgConnection::connect_with(&options).await?;
    // Migrating a large table may take long. Not behind a pooler, which would apply the setting to other clients.
    if options.get_options().is_some() {
        own.execute(sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = '60s'")).await?;
    }
    let mut migrator = postgres();
    let done = migrator.set_locking(false).run(&mut own).await;
    // Closed and not returned to the pool, because of its settings.
    own.close().await?;
    holder.commit().await?;
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_have_the_same_migrations() {
        let names =
            |migrator: &Migrator| migrator.iter().map(|m| (m.version, m.description.to_string())).collect::<Vec<_>>();
        assert_eq!(names(&SQLITE), names(&postgres()));
    }
}
