//! Enforced MFA enrolment: users who must add a second factor before anything else.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::components::Notice;

/// Asks the user to add a second factor.
#[component]
pub fn EnrolmentNotice() -> impl IntoView {
    view! {
        <div class="mx-auto w-full max-w-[768px] px-4 pt-4">
            <Notice class="notice notice-warn">
                <p>
                    {rich!(
                        "chat.enrolment",
                        link = |text| view! {
                            <a class="link" href="/settings/security#two-step">
                                {text}
                            </a>
                        }
                    )}
                </p>
            </Notice>
        </div>
    }
}

/// Loads every page except the settings from the server, even when the user follows a link within the site: the server
/// enforces the enrolment and knows when it is done.
pub fn enforce_enrolment(must_enrol: RwSignal<bool>) {
    let pathname = use_location().pathname;
    Effect::new(move || {
        let path = pathname.get();
        if must_enrol.get() && !path.starts_with("/settings") {
            // Navigating to a path of this site does not fail.
            let _ = location().set_href(&path);
        }
    });
}
