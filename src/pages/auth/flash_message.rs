use leptos::prelude::*;

use crate::components::{Glyph, Icon};

/// A message about an action on the previous page, which redirected here.
#[component]
pub fn FlashMessage(
    /// The message; `None` renders nothing.
    text: Option<&'static str>,
) -> impl IntoView {
    text.map(|text| {
        view! {
            <div class="notice notice-good mb-6" role="status">
                <Icon glyph=Glyph::Check />
                <p class="min-w-0">{text}</p>
            </div>
        }
    })
}
