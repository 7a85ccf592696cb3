use leptos::{prelude::*, task::spawn_local};

use crate::components::{Glyph, Icon, browser::copy_text};

/// Lines for a file or a terminal, with a button that copies them.
#[component]
pub fn Snippet(
    /// The lines.
    text: String,
) -> impl IntoView {
    let copied = RwSignal::new(None::<bool>);
    let lines = StoredValue::new(text.clone());
    let copy = move |_| {
        spawn_local(async move {
            let done = copy_text(lines.get_value()).await;
            copied.try_set(Some(done));
        });
    };
    view! {
        <div class="snippet">
            <pre tabindex="0">
                <code>{text}</code>
            </pre>
            <button class="btn btn-quiet btn-small js-only" type="button" on:click=copy>
                <Icon glyph=Glyph::Copy />
                <span role="status">
                    {move || match copied.get() {
                        None => t!("chat.copy"),
                        Some(true) => t!("chat.copied"),
                        Some(false) => t!("chat.not_copied"),
                    }}
                </span>
            </button>
        </div>
    }
    .into_any()
}
