//! What assistive technology and the keyboard need after a link within the application was followed.

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::components::browser;

/// How long a page may take to set its title and its focus.
const DELAY: Duration = Duration::from_millis(300);

/// Announces the title of the page that was opened, and moves the focus to it unless the page has taken it.
#[component]
pub fn PageAnnouncer() -> impl IntoView {
    let path = use_location().pathname;
    let announced = RwSignal::new(String::new());
    Effect::watch(
        move || path.get(),
        move |_, _, _| {
            let announce = move || {
                announced.try_set(document().title());
                if browser::is_focus_lost() {
                    browser::focus_first("#main");
                }
            };
            set_timeout(announce, DELAY);
        },
        false,
    );
    view! {
        <p class="sr-only" aria-live="polite" data-page-title="">
            {announced}
        </p>
    }
}
