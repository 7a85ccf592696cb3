//! What assistive technology and the keyboard need after a link within the application was followed.

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::components::browser;

/// How long a page may take to set its focus.
const DELAY: Duration = Duration::from_millis(300);
/// How often its title is looked at after that, and how many times at most.
const INTERVAL: Duration = Duration::from_millis(100);
const MAX_TRIES: u32 = 50;

/// Announces the title of the page that was opened, and moves the focus to it unless the page has taken it.
#[component]
pub fn PageAnnouncer() -> impl IntoView {
    let path = use_location().pathname;
    let announced = RwSignal::new(String::new());
    // The title of the page before, which nobody has to hear again.
    let last = StoredValue::new(String::new());
    Effect::new(move || last.set_value(document().title()));
    Effect::watch(
        move || path.get(),
        move |_, _, _| {
            set_timeout(move || announce(announced, last, MAX_TRIES), DELAY);
        },
        false,
    );
    view! {
        <p class="sr-only" aria-live="polite" data-page-title="">
            {announced}
        </p>
    }
}

/// Waits for the title, because a page may have to be loaded. Two pages can also have the same title.
fn announce(announced: RwSignal<String>, last: StoredValue<String>, tries: u32) {
    let title = document().title();
    let is_old = last.try_with_value(|last| *last == title).unwrap_or(false);
    if tries > 0 && (title.trim().is_empty() || is_old) {
        set_timeout(move || announce(announced, last, tries - 1), INTERVAL);
        return;
    }
    last.try_set_value(title.clone());
    announced.try_set(title);
    if browser::is_focus_lost() {
        browser::focus_first("#main");
    }
}
