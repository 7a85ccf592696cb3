//! Colloquy.

// Views are types, and types of whole pages are deep.
#![recursion_limit = "256"]

pub mod app;
pub mod components;
pub mod domain;
pub mod pages;
pub mod server_fns;

#[cfg(feature = "ssr")]
pub mod server;

/// Takes over the page that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
    // Tells tests and measurements that the scripts have taken over. Suspended parts follow in the same task.
    leptos::prelude::request_animation_frame(|| {
        if let Some(html) = leptos::prelude::document().document_element() {
            // A plain attribute of a plain element can always be set.
            let _ = html.set_attribute("data-hydrated", "");
        }
    });
}
