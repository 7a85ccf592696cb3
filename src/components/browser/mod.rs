//! Wrappers for browser APIs. On the server they do nothing.

mod clipboard;
mod connection;
mod event_stream;
mod external_changes;
mod focus;
mod lowercase;
mod menu_items;
mod options;
mod passkey;
#[cfg(feature = "hydrate")]
mod passkey_json;
mod sentinel;

pub use clipboard::copy_text;
pub use connection::{check_connection, load_when_connected, on_reconnect};
pub use event_stream::{Disconnect, EventStream};
pub use external_changes::{ExternalChangeListener, notify_other_tabs};
pub use focus::{focus, focus_first, is_focus_lost, keep_row_focus};
pub use lowercase::lowercase;
pub use menu_items::focus_menu_item;
pub use options::{click_first_option, filter_options, focus_first_option, focus_next_option};
pub use passkey::{
    PasskeyError, abort_passkey_request, autofill_passkey, create_passkey, get_passkey, supports_passkey_autofill,
    supports_passkeys,
};
pub use sentinel::Sentinel;

#[cfg(feature = "hydrate")]
use leptos::prelude::*;

use crate::domain::Timestamp;

/// Stores a preference of this browser in a cookie for a year; the server reads it for the next page.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server sets no choices"))]
pub fn write_cookie(name: &str, value: &str) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;

        let value = String::from(js_sys::encode_uri_component(value));
        let secure = if location().protocol().is_ok_and(|p| p == "https:") { "; Secure" } else { "" };
        let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax{secure}");
        // Fails only if cookies are blocked; the preference then lasts as long as the page.
        let _ = document().unchecked_into::<web_sys::HtmlDocument>().set_cookie(&cookie);
    }
}

/// The cookies that scripts may read, as one header line.
pub fn cookies() -> String {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;

        document().unchecked_into::<web_sys::HtmlDocument>().cookie().unwrap_or_default()
    }
    #[cfg(not(feature = "hydrate"))]
    String::new()
}

/// The draft stored under this key in this tab; `None` if there is none.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no tab"))]
pub fn load_draft(key: &str) -> Option<String> {
    #[cfg(feature = "hydrate")]
    {
        window().session_storage().ok()??.get_item(key).ok()?.filter(|text| !text.is_empty())
    }
    #[cfg(not(feature = "hydrate"))]
    None
}

/// Stores a draft until the tab is closed; an empty text removes it.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no tab"))]
pub fn save_draft(key: &str, text: &str) {
    #[cfg(feature = "hydrate")]
    if let Ok(Some(storage)) = window().session_storage() {
        // Fails if the storage is full or blocked; the text is then only in the field.
        let _ = if text.is_empty() { storage.remove_item(key) } else { storage.set_item(key, text) };
    }
}

/// Whether the primary pointer is a finger.
pub fn is_touch() -> bool {
    #[cfg(feature = "hydrate")]
    {
        matches!(window().match_media("(pointer: coarse)"), Ok(Some(query)) if query.matches())
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// Whether this is a system of Apple, where the command key takes the place of Ctrl.
pub fn is_apple() -> bool {
    #[cfg(feature = "hydrate")]
    {
        window().navigator().user_agent().is_ok_and(|agent| agent.contains("Mac OS") || agent.contains("iPhone"))
    }
    #[cfg(not(feature = "hydrate"))]
    false
}

/// The offset of the browser's time zone from UTC at this time, in minutes.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server is in no time zone"))]
pub fn utc_offset_minutes(at: Timestamp) -> i32 {
    #[cfg(feature = "hydrate")]
    {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        let date = js_sys::Date::new(&(at.millis() as f64).into());
        // JavaScript uses the opposite sign.
        #[expect(clippy::cast_possible_truncation, reason = "whole minutes of at most a day")]
        let minutes = -date.get_timezone_offset() as i32;
        minutes
    }
    #[cfg(not(feature = "hydrate"))]
    0
}

/// The IANA name of the browser's time zone; empty if unknown.
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

/// Milliseconds since 1970 by the browser's clock, which may be wrong.
pub fn now_millis() -> f64 {
    #[cfg(feature = "hydrate")]
    {
        js_sys::Date::now()
    }
    #[cfg(not(feature = "hydrate"))]
    0.0
}

/// Whether the browser supports sizing a field by its content (`field-sizing`).
pub fn supports_field_sizing() -> bool {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;

        let root = document().document_element().map(|root| root.unchecked_into::<web_sys::HtmlElement>());
        root.is_some_and(|root| js_sys::Reflect::has(&root.style(), &"fieldSizing".into()).unwrap_or(false))
    }
    #[cfg(not(feature = "hydrate"))]
    true
}
