//! Access for the work of the program itself.

use super::Tx;

/// A unit of work of the program itself: runs, jobs, outgoing mail, retention, expiry, purges and keys. No request of a
/// user chooses its rows. They come from a job, a run or a schedule, or from a row that was found through
/// [`Owned`](super::Owned) before.
pub struct Engine<'t> {
    pub(super) tx: &'t mut Tx,
}
