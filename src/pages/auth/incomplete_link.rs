use leptos::prelude::*;

use crate::{components::MessagePage, pages::shell::StandalonePage};

/// The message for a link without its token.
#[component]
pub fn IncompleteLink() -> impl IntoView {
    view! {
        <StandalonePage>
            <MessagePage
                title=t!("auth.incomplete_link.title")
                sentence=t!("auth.incomplete_link.sentence")
                href="/sign-in"
                action=t!("auth.sign_in.submit")
            />
        </StandalonePage>
    }
}
