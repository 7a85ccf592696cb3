//! Access to the rows of one user.

use super::Tx;
use crate::domain::UserId;

/// A unit of work that is restricted to the rows of one user. Every statement of its methods names the owner, by
/// `owner_id = $n` or `user_id = $n` (`id = $n` in `users`, `subject_id = $n` in `audit`), so that the rows of other
/// users are not found. `tests/app/architecture/store_views.rs` checks this.
pub struct Owned<'t> {
    pub(super) tx: &'t mut Tx,
    pub(super) owner: UserId,
}
