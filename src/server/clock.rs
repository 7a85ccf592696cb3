//! The only source of time and of new ids, so that tests can hold it still.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::{ContextV7, Timestamp as UuidTime, Uuid};

use crate::domain::Timestamp;

/// A clock that is shared by cloning. Real unless a test moves it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Microseconds that tests add to the real time.
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// Now.
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask the system for the time")]
    pub fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(micros.saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// Moves this clock, and all its clones, by a number of seconds.
    pub fn advance(&self, seconds: i64) {
        self.offset.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// A new id that sorts by time (UUID version 7).
    pub fn new_id(&self) -> Uuid {
        let now = self.now().micros();
        let (seconds, nanos) = (now.div_euclid(1_000_000), now.rem_euclid(1_000_000) * 1_000);
        let context = ContextV7::new();
        Uuid::new_v7(UuidTime::from_unix(
            &context,
            u64::try_from(seconds).unwrap_or(0),
            u32::try_from(nanos).unwrap_or(0),
        ))
    }
}

/// A moment for machines, in UTC, as RFC 3339 has it. For example `2026-11-21T08:30:00.123456Z`.
pub fn rfc3339(at: Timestamp) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.micros()) * 1_000);
    moment.ok().and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}
