use std::time::Duration;

use leptos::prelude::*;

/// How long a finger rests on a row until its menu opens. Systems of Apple have no event for it.
const HOLD: Duration = Duration::from_millis(350);

/// A finger that rests on a row.
#[derive(Clone, Copy, Default)]
pub(super) struct TouchHold {
    timer: StoredValue<Option<TimeoutHandle>>,
    opened: StoredValue<bool>,
}

impl TouchHold {
    /// A finger was put down. `open` opens the menu and returns whether it did.
    pub fn start(self, open: impl Fn() -> bool + 'static) {
        self.end();
        self.opened.set_value(false);
        let open = move || {
            if open() {
                self.opened.try_set_value(true);
            }
        };
        self.timer.set_value(set_timeout_with_handle(open, HOLD).ok());
    }

    /// The finger was lifted, or it scrolls.
    pub fn end(self) {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }

    /// Whether the finger has opened the menu; only once.
    pub fn take_opened(self) -> bool {
        self.opened.try_update_value(std::mem::take).unwrap_or(false)
    }
}
