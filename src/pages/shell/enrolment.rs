//! Whoever must add a second factor, and may do nothing else before.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::components::Notice;

/// Asks for a second factor.
#[component]
pub fn EnrolmentNotice() -> impl IntoView {
    view! {
        <div class="mx-auto w-full max-w-[768px] px-4 pt-4">
            <Notice>
                <p>
                    {rich!(
                        "chat.enrolment",
                        link = |words| view! {
                            <a class="link" href="/settings#two-step">
                                {words}
                            </a>
                        }
                    )}
                </p>
            </Notice>
        </div>
    }
}

/// Has the server asked at every other page than the settings, also when the person comes there by a link: it knows at
/// once when they have a second factor.
pub fn keep_to_settings(must_enrol: RwSignal<bool>) {
    let here = use_location().pathname;
    Effect::new(move || {
        let path = here.get();
        if must_enrol.get() && !path.starts_with("/settings") {
            // Going to a page of ours does not fail.
            let _ = location().set_href(&path);
        }
    });
}
