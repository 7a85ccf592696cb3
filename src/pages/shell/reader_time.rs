use std::time::Duration;

use leptos::prelude::*;

use crate::components::{
    ReaderClock, ReaderZone,
    browser::{now_millis, time_zone, write_cookie},
};

/// How often the clock is updated.
const TICK_INTERVAL: Duration = Duration::from_secs(60);

/// The current time and time zone of the user.
#[derive(Clone, Copy)]
pub struct ReaderTime {
    /// The clock.
    pub clock: RwSignal<ReaderClock>,
}

impl ReaderTime {
    /// Gets the clock from the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Creates it from the clock that the server sent.
    pub fn new(clock: ReaderClock) -> Self {
        Self { clock: RwSignal::new(clock) }
    }

    /// Keeps the clock running in the browser, and sets the cookie with the browser's time zone for the next page. A
    /// time zone chosen in the settings takes precedence over the browser's.
    pub fn start(self, zone_was_chosen: bool) {
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
            if let Ok(handle) = set_interval_with_handle(tick, TICK_INTERVAL) {
                on_cleanup(move || handle.clear());
            }
        });
    }
}
