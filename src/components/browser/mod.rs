//! What the pages ask of the browser. On the server all of it does nothing.

mod clipboard;
mod elsewhere;
mod event_stream;
mod passkey;
#[cfg(feature = "hydrate")]
mod passkey_json;
mod sentinel;

pub use clipboard::copy_text;
pub use elsewhere::{Elsewhere, tell_other_tabs};
pub use event_stream::{Closed, EventStream};
pub use passkey::{NoPasskey, can_offer_passkeys, has_passkeys, make_passkey, offer_passkey, stop_asking, use_passkey};
pub use sentinel::Sentinel;

#[cfg(feature = "hydrate")]
use leptos::prelude::*;

use crate::domain::Timestamp;

/// Keeps a choice of this browser for a year, where the server reads it for the next page.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server sets no choices"))]
pub fn write_cookie(name: &str, value: &str) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;

        let value = String::from(js_sys::encode_uri_component(value));
        let secure = if location().protocol().is_ok_and(|p| p == "https:") { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax{secure}");
        // Fails only where cookies are forbidden; then the choice lasts as long as the page.
        let _ = document().unchecked_into::<web_sys::HtmlDocument>().set_cookie(&cookie);
    }
}

/// The browser's own cookies that scripts may read, as one header line.
pub fn cookies() -> String {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;

        document().unchecked_into::<web_sys::HtmlDocument>().cookie().unwrap_or_default()
    }
    #[cfg(not(feature = "hydrate"))]
    String::new()
}

/// The text that was being written under this key in this tab.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no tab"))]
pub fn load_draft(key: &str) -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        window().session_storage().ok()??.get_item(key).ok()?.filter(|text| !text.is_empty())
    }
    #[cfg(not(feature = "hydrate"))]
    None
}

/// Keeps a text that is being written, until the tab is closed; an empty one is forgotten.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no tab"))]
pub fn save_draft(key: &str, text: &str) {
    #[cfg(feature = "hydrate")]
    if let Ok(Some(storage)) = window().session_storage() {
        // Fails where the storage is full or forbidden; then the text lives in the field only.
        let _ = if text.is_empty() { storage.remove_item(key) } else { storage.set_item(key, text) };
    }
}

/// Whether the main pointer is a finger.
pub fn is_touch() -> bool {
    #[cfg(feature = "hydrate")]
    {
        matches!(window().match_media("(pointer: coarse)"), Ok(Some(query)) if query.matches())
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Minutes to add to UTC at this moment for the clock of this browser.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server is in no time zone"))]
pub fn utc_offset_minutes(at: Timestamp) -> i32 {
    #[cfg(feature = "hydrate")]
    {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        let date = js_sys::Date::new(&(at.millis() as f64).into());
        // JavaScript counts the other way; whole minutes fit easily.
        #[expect(clippy::cast_possible_truncation, reason = "whole minutes of at most a day")]
        let minutes = -date.get_timezone_offset() as i32;
        minutes
    }
    #[cfg(not(feature = "hydrate"))]
    0
}

/// The name of the time zone that this browser is set to; empty where it does not say.
pub fn time_zone() -> String {
    #[cfg(feature = "hydrate")]
    {
        let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
        let name = js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into()).ok();
        name.and_then(|name| name.as_string()).unwrap_or_default()
    }
    #[cfg(not(feature = "hydrate"))]
    String::new()
}

/// Milliseconds since 1970 by the clock of this browser, which may be wrong.
pub fn now_millis() -> f64 {
    #[cfg(feature = "hydrate")]
    {
        js_sys::Date::now()
    }
    #[cfg(not(feature = "hydrate"))]
    0.0
}

/// Whether the browser sizes a field by its content (`field-sizing`).
pub fn sizes_fields() -> bool {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;

        let root = document().document_element().map(|root| root.unchecked_into::<web_sys::HtmlElement>());
        root.is_some_and(|root| js_sys::Reflect::has(&root.style(), &"fieldSizing".into()).unwrap_or(false))
    }
    #[cfg(not(feature = "hydrate"))]
    true
}
