use leptos::prelude::*;

use crate::components::{Glyph, Icon};

/// What was done on another page, which led here.
#[component]
pub fn FlashMessage(
    /// A sentence; nothing where nothing was done.
    words: Option<&'static str>,
) -> impl IntoView {
    words.map(|words| {
        view! {
            <div class="notice mb-6" role="status">
                <Icon glyph=Glyph::Check />
                <p class="min-w-0">{words}</p>
            </div>
        }
    })
}
