use leptos::prelude::*;

use crate::{components::Dead, pages::shell::Alone};

/// A link that was cut off on its way.
#[component]
pub fn IncompleteLink() -> impl IntoView {
    view! {
        <Alone>
            <Dead
                title="The link is not whole"
                sentence="Open the link from the mail again, or copy all of it."
                href="/sign-in"
                action="Sign in"
            />
        </Alone>
    }
}
