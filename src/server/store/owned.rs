//! The rows of one person.

use super::Tx;
use crate::domain::UserId;

/// A unit of work that sees the rows of one person. Every statement of its methods has `owner_id = $n` (or `user_id`),
/// so that a row of somebody else is the same as no row.
pub struct Owned<'t> {
    pub(super) tx: &'t mut Tx,
    pub(super) owner: UserId,
}
