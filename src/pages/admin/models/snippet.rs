use leptos::prelude::*;

use crate::components::{Glyph, Icon, copy_label, copying};

/// Lines for a file or a terminal, with a button that copies them.
#[component]
pub fn Snippet(
    /// The lines.
    text: String,
) -> impl IntoView {
    let (copy, copied) = copying(text.clone());
    view! {
        <div class="snippet">
            <pre tabindex="0">
                <code>{text}</code>
            </pre>
            <button class="btn btn-quiet btn-small js-only" type="button" on:click=move |_| copy()>
                <Icon glyph=Glyph::Copy />
                <span role="status">
                    {move || copy_label(copied.get())}
                </span>
            </button>
        </div>
    }
    .into_any()
}
