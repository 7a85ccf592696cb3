use std::time::Duration;

use leptos::prelude::*;

use crate::components::{
    ReaderClock, ReaderZone,
    browser::{now_millis, time_zone, write_cookie},
};

/// Time between two moves of the clock.
const TICK: Duration = Duration::from_secs(60);

/// The time where the reader is.
#[derive(Clone, Copy)]
pub struct ReaderTime {
    /// The reader's clock.
    pub clock: RwSignal<ReaderClock>,
}

impl ReaderTime {
    /// The time of this page.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The time as the server knows it.
    pub fn new(clock: ReaderClock) -> Self {
        Self { clock: RwSignal::new(clock) }
    }

    /// Lets the clock go on in the browser, and tells the server the time zone for the next page. A zone that was
    /// chosen goes before the browser's.
    pub fn keep(self, zone_was_chosen: bool) {
        Effect::new(move || {
            write_cookie("tz", &time_zone());
            if !zone_was_chosen {
                self.clock.update(|clock| clock.zone = ReaderZone::Browser);
            }
            let begin = self.clock.with_untracked(|clock| clock.now);
            let started = now_millis();
            let tick = move || {
                #[expect(clippy::cast_possible_truncation, reason = "milliseconds of one visit")]
                let passed = (now_millis() - started) as i64;
                self.clock.try_update(|clock| clock.now = begin.plus_millis(passed.max(0)));
            };
            if let Ok(handle) = set_interval_with_handle(tick, TICK) {
                on_cleanup(move || handle.clear());
            }
        });
    }
}
