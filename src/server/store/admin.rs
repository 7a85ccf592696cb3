//! Access to what administrators and the operator manage.

use super::Tx;

/// A unit of work on all accounts, invitations, audit entries and jobs, for administrators and the operator. It does
/// not access what people write: chats, messages, runs, pictures and data exports.
pub struct Admin<'t> {
    pub(super) tx: &'t mut Tx,
}
