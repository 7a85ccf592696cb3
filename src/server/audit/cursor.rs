//! Cursors for pages of the audit log.

use crate::{
    domain::{AppError, Timestamp},
    server::store::AuditRow,
};

/// The cursor after an entry.
pub fn cursor_after(last: &AuditRow) -> String {
    format!("{}.{}", last.at.micros(), last.id)
}

/// Parses a cursor into the time and the id of an entry.
///
/// # Errors
/// `Invalid` on `cursor`.
pub fn parse_cursor(text: &str) -> Result<(Timestamp, uuid::Uuid), AppError> {
    let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    let (at, id) = parts.ok_or_else(|| AppError::invalid("cursor", reason!("cursor_unknown")))?;
    Ok((Timestamp::from_micros(at), id))
}
