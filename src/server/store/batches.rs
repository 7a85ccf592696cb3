//! Work on many rows in batches: short transactions, so that none blocks SQLite's single writer for long.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use super::{Engine, Store, StoreError};

/// Time after which no further step begins in a batch. With its last step and the commit, a batch must take less than
/// 50 ms; `make bench` measures that.
const MAX_STEPS_DURATION: Duration = Duration::from_millis(5);

/// The number of steps in the first batch, and the maximum: less than 500 rows per transaction. The commit, which waits
/// for the disk, takes most of the time. Its duration depends on the disk and on the number of indexes. So the number
/// of steps adapts to the duration of the previous batch.
const INITIAL_STEPS: u32 = 15;
const MAX_STEPS: u32 = 120;

/// If a batch with its commit takes longer than this, the next one gets fewer steps.
const TARGET_DURATION: Duration = Duration::from_millis(15);

/// Rows that one step changes. Few, because a row can be as large as an answer, and deleted rows are overwritten.
pub(super) const ROWS_PER_STEP: i64 = 4;

impl Store {
    /// Repeats a step until it changes no row, in as many transactions as needed. Returns the total number of changed
    /// rows. After each transaction it pauses for as long as the transaction took, so that other writers can run.
    ///
    /// If it is interrupted, all complete batches stay committed, so the work must be restartable.
    pub(super) async fn run_in_batches(
        &self,
        mut step: impl for<'t> FnMut(Engine<'t>) -> BoxFuture<'t, Result<u64, StoreError>>,
    ) -> Result<u64, StoreError> {
        let (mut total, mut max_steps) = (0, INITIAL_STEPS);
        loop {
            let mut tx = self.write().await?;
            let start = Instant::now();
            let (mut rows, mut steps) = (1, 0);
            while rows > 0 && steps < max_steps && start.elapsed() < MAX_STEPS_DURATION {
                rows = step(tx.engine()).await?;
                total += rows;
                steps += 1;
            }
            tx.commit().await?;
            let duration = start.elapsed();
            max_steps = next_max_steps(max_steps, duration);
            self.checkpoint_passively().await?;
            if rows == 0 {
                return Ok(total);
            }
            tokio::time::sleep(duration).await;
        }
    }

    /// Copies SQLite's write-ahead log into the file without blocking writers, after a part of some larger work was
    /// committed. Otherwise a later commit, possibly of an unrelated transaction, would have to copy all parts.
    pub async fn checkpoint_passively(&self) -> Result<(), StoreError> {
        self.db.checkpoint_passively().await
    }
}

/// The maximum number of steps of the next batch, after a batch with the maximum `max_steps` took `duration` with its
/// commit.
fn next_max_steps(max_steps: u32, duration: Duration) -> u32 {
    if duration > TARGET_DURATION { (max_steps / 2).max(1) } else { (max_steps + max_steps / 4 + 1).min(MAX_STEPS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_batches_shrink_quickly_and_fast_ones_grow_slowly() {
        let (long, short) = (TARGET_DURATION + Duration::from_millis(1), TARGET_DURATION);
        assert_eq!([120, 15, 1].map(|steps| next_max_steps(steps, long)), [60, 7, 1]);
        assert_eq!([1, 15, 120].map(|steps| next_max_steps(steps, short)), [2, 19, 120]);
    }
}
