use leptos::prelude::*;

use super::guard::sign_in_path;

/// Says that the sign-in has ended while the page was open.
#[component]
pub fn SignedOutNotice() -> impl IntoView {
    view! {
        <p class="bar" role="alert">
            {rich!(
                "chat.signed_out",
                link = |words| view! {
                    <a class="link" href=sign_in_path() rel="external">
                        {words}
                    </a>
                }
            )}
        </p>
    }
    .into_any()
}
