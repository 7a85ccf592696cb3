use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::pages::settings::confirm_path;

/// Sends an administrator to prove who they are, before they change anything.
#[component]
pub fn ConfirmFirst() -> impl IntoView {
    let here = use_location().pathname.get_untracked();
    view! {
        <div class="notice mb-6 block">
            <p class="mb-3">"To change something, show once more who you are. It holds for 10 minutes."</p>
            <a class="btn btn-line" href=confirm_path(&here)>
                "Confirm that it is you"
            </a>
        </div>
    }
    .into_any()
}
