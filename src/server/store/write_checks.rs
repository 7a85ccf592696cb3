//! Checks that the database is writable.

use super::{Engine, StoreError, db::execute};
use crate::domain::Timestamp;

impl Engine<'_> {
    /// Writes the single row of the table `write_checks`.
    pub async fn write_check(&mut self, now: Timestamp) -> Result<(), StoreError> {
        execute!(
            self.tx,
            "insert into write_checks (id, checked_at) values (1, $1) on conflict (id) do update set checked_at = $1",
            now
        )?;
        Ok(())
    }
}
