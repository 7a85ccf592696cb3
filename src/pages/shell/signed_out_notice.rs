use leptos::prelude::*;

use super::guard::sign_in_path;

/// A notice that the session has ended while the page was open.
#[component]
pub fn SignedOutNotice() -> impl IntoView {
    view! {
        <p class="bar" role="alert">
            {rich!(
                "chat.signed_out",
                link = |text| view! {
                    <a class="link" href=sign_in_path() rel="external">
                        {text}
                    </a>
                }
            )}
        </p>
    }
    .into_any()
}
