//! Access to the rows of one user.

use super::Tx;
use crate::domain::UserId;

/// A unit of work that is restricted to the rows of one user. Every statement of its methods has the condition
/// `owner_id = $n` (or `user_id = $n`), so that the rows of other users are not found.
pub struct Owned<'t> {
    pub(super) tx: &'t mut Tx,
    pub(super) owner: UserId,
}
