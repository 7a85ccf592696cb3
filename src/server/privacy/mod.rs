//! Privacy: data exports, deletion of accounts, and retention of chats.

mod deletion;
mod expiry;
mod export;
mod purge;
mod retention;

pub use deletion::GRACE_SECONDS;
pub use expiry::DeleteExpired;
pub use export::Exports;
pub use purge::DeleteAccount;
pub use retention::ApplyRetention;

use crate::server::{auth::Accounts, clock::Clock, config::Config, mail::Notifier, store::Store};

/// Seconds between two runs of the scheduled jobs.
const SCHEDULE_INTERVAL_SECONDS: i64 = 600;

/// Deletes accounts, old chats and expired rows.
#[derive(Debug, Clone)]
pub struct Privacy {
    store: Store,
    clock: Clock,
    notifier: Notifier,
    accounts: Accounts,
    /// Days for which audit entries are kept.
    audit_days: u32,
    /// Days after their last message for which chats are kept; `None` for no limit.
    retention_days: Option<u32>,
}

impl Privacy {
    /// Creates the service for this store.
    pub fn new(store: Store, clock: Clock, accounts: Accounts, config: &Config) -> Self {
        Self {
            notifier: Notifier::new(clock.clone(), config.mail.is_some()),
            audit_days: config.audit_days,
            retention_days: config.retention_days,
            store,
            clock,
            accounts,
        }
    }
}
