use leptos::prelude::*;

use crate::{components::Dead, pages::shell::Alone};

/// A link that was cut off on its way.
#[component]
pub fn IncompleteLink() -> impl IntoView {
    view! {
        <Alone>
            <Dead
                title=t!("auth.incomplete_link.title")
                sentence=t!("auth.incomplete_link.sentence")
                href="/sign-in"
                action=t!("auth.sign_in.submit")
            />
        </Alone>
    }
}
