//! Work on many rows in slices: transactions that each hold SQLite's one writer for a moment only.

use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use super::{Store, StoreError, Tx};

/// Time after which a slice is committed. With its last step and the commit it must stay under 50 ms; `make bench` measures
/// that.
const SLICE: Duration = Duration::from_millis(5);

/// Steps of the first slice, and the most of any: less than 500 rows in one transaction. The commit, which waits for the disk,
/// takes most of the time, and how long that is depends on the disk and on how many indexes a row is in. So the number
/// follows what the slice before took.
const FIRST_STEPS: u32 = 15;
const MOST_STEPS: u32 = 120;

/// How long a slice may take with its commit before the next one gets fewer steps.
const AIM: Duration = Duration::from_millis(15);

/// Rows that one step touches. Few, because a row can be as large as an answer, and what is deleted is overwritten.
pub(super) const STEP: i64 = 4;

impl Store {
    /// Repeats a step until it finds nothing to do, in as many transactions as that takes. Gives how many rows the steps
    /// touched in all. Between two transactions others have as much time as the one before took.
    ///
    /// Whatever breaks this off leaves whole slices behind, so the work must be one that can be begun anew.
    pub(super) async fn in_slices(
        &self,
        mut step: impl for<'t> FnMut(&'t mut Tx) -> BoxFuture<'t, Result<u64, StoreError>>,
    ) -> Result<u64, StoreError> {
        let (mut total, mut most) = (0, FIRST_STEPS);
        loop {
            let mut tx = self.write().await?;
            let begun = Instant::now();
            let (mut rows, mut steps) = (1, 0);
            while rows > 0 && steps < most && begun.elapsed() < SLICE {
                rows = step(&mut tx).await?;
                total += rows;
                steps += 1;
            }
            tx.commit().await?;
            let held = begun.elapsed();
            most = next_steps(most, held);
            self.copy_log().await?;
            if rows == 0 {
                return Ok(total);
            }
            tokio::time::sleep(held).await;
        }
    }

    /// Copies SQLite's log into the file, after a part of some larger work was committed. Otherwise a later commit would have
    /// to copy all parts at once, be it of this work or of somebody else's.
    pub async fn copy_log(&self) -> Result<(), StoreError> {
        self.0.copy_log().await
    }
}

/// How many steps the next slice may have, after one that was allowed `most` and took `held` with its commit.
fn next_steps(most: u32, held: Duration) -> u32 {
    if held > AIM { (most / 2).max(1) } else { (most + most / 4 + 1).min(MOST_STEPS) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_shrink_quickly_where_they_take_long_and_grow_slowly() {
        let (long, short) = (AIM + Duration::from_millis(1), AIM);
        assert_eq!([120, 15, 1].map(|most| next_steps(most, long)), [60, 7, 1]);
        assert_eq!([1, 15, 120].map(|most| next_steps(most, short)), [2, 19, 120]);
    }
}
