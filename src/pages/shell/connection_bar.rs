use leptos::prelude::*;

/// A thin bar while the connection to the server is lost. A script watches the connection (`app/connection.js`), and CSS
/// shows the sentence that applies.
#[component]
pub fn ConnectionBar() -> impl IntoView {
    view! {
        <div class="connection js-only" role="status">
            <p class="bar connection-offline">{t!("chat.connection.offline")}</p>
            <p class="bar connection-away">{t!("chat.connection.away")}</p>
        </div>
    }
    .into_any()
}
