//! The HTML shell and the route table; nothing else.

use leptos::prelude::*;

/// The whole document.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let _ = options;
    view! { <html lang="en"><head><title>"Colloquy"</title></head><body></body></html> }
}
