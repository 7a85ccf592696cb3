//! What people can do with all of their data, and how long it is kept: downloads, deletion, retention.

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

use crate::server::{auth::Accounts, clock::Clock, config::Config, mail::Notices, store::Store};

/// Seconds between two looks for what is too old or has expired.
const SCHEDULE_SECONDS: i64 = 600;

/// The deletion of accounts, and of what is too old.
#[derive(Debug, Clone)]
pub struct Privacy {
    store: Store,
    clock: Clock,
    notices: Notices,
    accounts: Accounts,
    /// Days for which the audit is kept.
    audit_days: u32,
    /// Days after their last message for which chats are kept; `None` for ever.
    retention_days: Option<u32>,
}

impl Privacy {
    /// Deletes from this store as the configuration and people choose.
    pub fn new(store: Store, clock: Clock, accounts: Accounts, config: &Config) -> Self {
        Self {
            notices: Notices::new(clock.clone(), config.mail.is_some()),
            audit_days: config.audit_days,
            retention_days: config.retention_days,
            store,
            clock,
            accounts,
        }
    }
}
