//! Group commit: short units of work that arrive at the same time share one SQLite transaction, and so one wait for the
//! disk. Each caller is answered only after the commit.
//!
//! SQLite has one writer, and its commit takes longer than the few statements of a unit. PostgreSQL commits the
//! transactions of many connections together by itself, so there each unit has a transaction of its own.

use std::{
    mem,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::oneshot;

use super::{
    Store, StoreError, Tx,
    db::{Db, failed_transaction},
};

/// Units in one transaction at most. Bounds how long it holds the writer.
const MAX_UNITS: usize = 64;

/// The units that wait, and whether a task is running that commits them.
#[derive(Debug, Default)]
pub(super) struct Group(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    units: Vec<Box<dyn Unit>>,
    is_running: bool,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("units", &self.units.len()).field("is_running", &self.is_running).finish()
    }
}

/// A unit of work with its caller.
trait Unit: Send {
    /// Runs the unit and keeps its result. Returns whether it succeeded. May be called again in another transaction.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool>;
    /// Sends the result of the last run to the caller.
    fn reply(self: Box<Self>);
    /// Sends the caller an error instead: nothing was committed.
    fn fail(self: Box<Self>, error: StoreError);
}

struct Call<F, T, E> {
    work: F,
    result: Option<Result<T, E>>,
    caller: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Unit for Call<F, T, E>
where
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool> {
        Box::pin(async move {
            let result = AssertUnwindSafe((self.work)(tx)).catch_unwind().await;
            let result = match result {
                Ok(Ok(_)) if tx.has_failed() => Err(StoreError::from(failed_transaction()).into()),
                Ok(result) => result,
                Err(_) => Err(StoreError::from(sqlx::Error::WorkerCrashed).into()),
            };
            let succeeded = result.is_ok();
            self.result = Some(result);
            succeeded
        })
    }

    fn reply(self: Box<Self>) {
        // A caller that is gone needs no answer.
        if let Some(result) = self.result {
            let _ = self.caller.send(result);
        }
    }

    fn fail(self: Box<Self>, error: StoreError) {
        let _ = self.caller.send(Err(error.into()));
    }
}

impl Store {
    /// Runs a unit of work and commits it, on SQLite together with others that wait at the same time. Returns once it is
    /// on disk. A unit that fails leaves nothing behind and does not affect the others. It may run twice, in different
    /// transactions, so it must have no effect outside of its transaction. It is finished even if the caller goes away.
    ///
    /// # Errors
    /// Those of the unit, and those of [`Store::write`] and [`Tx::commit`].
    pub async fn write_grouped<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if !matches!(self.db, Db::Sqlite { .. }) {
            let mut tx = self.write().await?;
            let value = work(&mut tx).await?;
            tx.commit().await?;
            return Ok(value);
        }
        let (caller, answer) = oneshot::channel();
        self.submit(Box::new(Call { work, result: None, caller }));
        // The task ended without an answer.
        answer.await.unwrap_or_else(|_| Err(StoreError::from(sqlx::Error::WorkerCrashed).into()))
    }

    fn submit(&self, unit: Box<dyn Unit>) {
        let mut waiting = self.group.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.units.push(unit);
        if !mem::replace(&mut waiting.is_running, true) {
            tokio::spawn(commit_groups(self.clone()));
        }
    }
}

/// Commits group after group until no unit waits.
async fn commit_groups(store: Store) {
    let stop = StopOnDrop(Arc::clone(&store.group));
    while stop.must_go_on() {
        // More units may arrive while this waits for the writer.
        let tx = store.write().await;
        let units = stop.take();
        match tx {
            Ok(tx) => commit_group(&store, tx, units).await,
            Err(error) => fail_all(units, &error),
        }
    }
}

/// Ends the task's turn. After a panic, the units that still wait are dropped, which tells their callers.
struct StopOnDrop(Arc<Group>);

impl StopOnDrop {
    /// Whether units wait. If not, the turn ends here, under the same lock.
    fn must_go_on(&self) -> bool {
        let mut waiting = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.is_running = !waiting.units.is_empty();
        waiting.is_running
    }

    fn take(&self) -> Vec<Box<dyn Unit>> {
        let mut waiting = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.units.len().min(MAX_UNITS);
        waiting.units.drain(..count).collect()
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
            *waiting = Waiting::default();
        }
    }
}

async fn commit_group(store: &Store, mut tx: Tx, mut units: Vec<Box<dyn Unit>>) {
    let mut succeeded = true;
    for unit in &mut units {
        succeeded = unit.run(&mut tx).await;
        if !succeeded {
            break;
        }
    }
    let committed = match (succeeded, units.len()) {
        (true, _) => tx.commit().await,
        // A unit that is alone has its result.
        (false, 1) => Ok(()),
        // Most groups succeed, so savepoints are only set once a unit has failed.
        (false, _) => {
            drop(tx);
            commit_with_savepoints(store, &mut units).await
        }
    };
    match committed {
        Ok(()) => units.into_iter().for_each(|unit| unit.reply()),
        Err(error) => fail_all(units, &error),
    }
}

/// Runs the units again in one transaction, in which those that fail are undone alone.
async fn commit_with_savepoints(store: &Store, units: &mut [Box<dyn Unit>]) -> Result<(), StoreError> {
    let mut tx = store.write().await?;
    for unit in units {
        tx.set_savepoint().await?;
        match unit.run(&mut tx).await {
            true => tx.release_savepoint().await?,
            false => tx.roll_back_to_savepoint().await?,
        }
    }
    tx.commit().await
}

fn fail_all(units: impl IntoIterator<Item = Box<dyn Unit>>, error: &StoreError) {
    for unit in units {
        unit.fail(error.for_another_caller());
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::server::store::db::{execute, fetch_optional};

    async fn open(folder: &Path) -> Store {
        let store = Store::open(folder, None).await.expect("a database");
        let mut tx = store.write().await.expect("a transaction");
        execute!(tx, "create table numbers (number bigint primary key)").expect("a table");
        tx.commit().await.expect("a commit");
        store
    }

    async fn insert(store: &Store, number: i64) -> Result<i64, StoreError> {
        let insert = store.write_grouped(move |tx| {
            Box::pin(async move {
                assert!(number >= 0, "no negative numbers");
                execute!(tx, "insert into numbers (number) values ($1)", number)?;
                let rows = fetch_optional!(tx, (i64,), "select count(*) from numbers")?;
                Ok(rows.map_or(0, |(count,)| count))
            })
        });
        insert.await
    }

    async fn count(store: &Store) -> i64 {
        let mut tx = store.read().await.expect("a connection");
        fetch_optional!(tx, (i64,), "select count(*) from numbers").expect("a count").expect("a row").0
    }

    /// Inserts these numbers at the same time, while another transaction keeps the writer until all of them wait.
    async fn insert_together(store: &Store, numbers: &[i64]) -> Vec<Result<i64, StoreError>> {
        let other = store.write().await.expect("a transaction");
        let inserts = numbers.iter().map(|number| insert(store, *number));
        let release = async {
            while store.group.0.lock().expect("no panic").units.len() < numbers.len() {
                tokio::task::yield_now().await;
            }
            drop(other);
        };
        futures::future::join(futures::future::join_all(inserts), release).await.0
    }

    #[tokio::test]
    async fn units_that_wait_together_are_committed_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).await;
        let numbers: Vec<i64> = (0..100).collect();
        let counts: Vec<i64> =
            insert_together(&store, &numbers).await.into_iter().map(|count| count.expect("a row")).collect();
        assert_eq!(counts, (1..=100).collect::<Vec<_>>(), "in the order in which they came");
        assert_eq!(count(&store).await, 100);
        assert!(!store.group.0.lock().expect("no panic").is_running);
    }

    #[tokio::test]
    async fn a_unit_that_fails_does_not_affect_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).await;
        let results = insert_together(&store, &[1, 2, 1, 3, 2, 4]).await;
        let duplicates: Vec<bool> = results.iter().map(|result| matches!(result, Err(StoreError::Duplicate))).collect();
        assert_eq!(duplicates, [false, false, true, false, true, false]);
        assert_eq!(count(&store).await, 4);
    }

    #[tokio::test]
    async fn a_unit_that_panics_does_not_affect_the_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).await;
        let results = insert_together(&store, &[1, -1, 2]).await;
        assert!(matches!(results[..], [Ok(1), Err(StoreError::Unavailable(_)), Ok(2)]), "{results:?}");
        assert_eq!(insert(&store, 5).await.expect("a row"), 3);
    }

    #[tokio::test]
    async fn a_failed_statement_fails_its_unit_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).await;
        let ignoring = store.write_grouped(|tx| {
            Box::pin(async move {
                let _ = execute!(tx, "insert into numbers (number) values ('no', 'no')");
                Ok::<(), StoreError>(())
            })
        });
        let other = store.write().await.expect("a transaction");
        let release = async {
            while store.group.0.lock().expect("no panic").units.len() < 2 {
                tokio::task::yield_now().await;
            }
            drop(other);
        };
        let (ignored, inserted, ()) = futures::future::join3(ignoring, insert(&store, 1), release).await;
        assert!(ignored.is_err(), "nothing of it was written");
        assert_eq!(inserted.expect("a row"), 1);
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_stop_its_unit() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(folder.path()).await;
        let other = store.write().await.expect("a transaction");
        let left = tokio::time::timeout(std::time::Duration::from_millis(20), insert(&store, 1)).await;
        assert!(left.is_err(), "the writer was busy");
        drop(other);
        assert_eq!(insert(&store, 2).await.expect("a row"), 2);
    }
}
