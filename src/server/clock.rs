//! The only source of time and of new ids, so that tests can control both.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, Ordering},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::{ContextV7, Timestamp as UuidTime, Uuid};

use crate::domain::Timestamp;

/// A clock, shared by cloning. Uses the system time unless a test advances it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Microseconds that tests add to the system time.
    offset: Arc<AtomicI64>,
    /// Counter for ids within the same millisecond, so that they sort in order of creation.
    ids: Arc<Mutex<ContextV7>>,
}

impl Clock {
    /// The current time.
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask the system for the time")]
    pub fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(micros.saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// Advances this clock and all its clones by a number of seconds. For tests.
    pub fn advance(&self, seconds: i64) {
        self.offset.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// A new id (UUID version 7) that sorts after all ids that this clock and its clones have created.
    pub fn new_id(&self) -> Uuid {
        let now = self.now().micros();
        let (seconds, nanos) = (now.div_euclid(1_000_000), now.rem_euclid(1_000_000) * 1_000);
        Uuid::new_v7(UuidTime::from_unix(
            &*self.ids,
            u64::try_from(seconds).unwrap_or(0),
            u32::try_from(nanos).unwrap_or(0),
        ))
    }
}

/// Formats a time in UTC as RFC 3339, for example `2026-11-21T08:30:00.123456Z`.
pub fn rfc3339(at: Timestamp) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.micros()) * 1_000);
    moment.ok().and_then(|moment| moment.format(&Rfc3339).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_in_which_they_are_given() {
        let clock = Clock::default();
        let ids: Vec<_> = (0..10_000).map(|_| clock.clone().new_id()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        // Also if the system clock is set back.
        clock.advance(-3_600);
        let last = ids.last().copied();
        assert!(last < Some(clock.new_id()));
        clock.advance(7_200);
        assert!(last < Some(clock.new_id()));
    }

    #[test]
    fn ids_of_several_threads_sort_and_are_unique() {
        let clock = Clock::default();
        let create = |clock: Clock| move || (0..2_000).map(|_| clock.new_id()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(create(clock.clone()))).collect();
        let created: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("ids")).collect();
        assert!(created.iter().all(|ids| ids.is_sorted()));
        let all: std::collections::HashSet<_> = created.into_iter().flatten().collect();
        assert_eq!(all.len(), 8_000);
    }
}
