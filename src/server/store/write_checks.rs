//! Whether something can be written, found out by writing.

use super::{StoreError, Tx, db::execute};
use crate::domain::Timestamp;

impl Tx {
    /// Writes the one row that is there for this.
    pub async fn write_check(&mut self, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self,
            "insert into write_checks (id, checked_at) values (1, $1) on conflict (id) do update set checked_at = $1",
            now
        )?;
        Ok(())
    }
}
