//! The connection to the server. A script of every page watches it (`app/connection.js`); it is told of failed requests
//! and reports by events of the window.

#[cfg(feature = "hydrate")]
use leptos::prelude::*;

/// Checks whether the server can be reached, because a request has failed.
pub fn check_connection() {
    #[cfg(feature = "hydrate")]
    if let Ok(event) = web_sys::Event::new("unreachable") {
        // Fails only for an event that is being dispatched.
        let _ = window().dispatch_event(&event);
    }
}

/// Loads a page of this server as a whole, as soon as the server can be reached.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server loads no pages"))]
pub fn load_when_connected(url: &str) {
    #[cfg(feature = "hydrate")]
    if let Some(root) = document().document_element() {
        // Setting a plain attribute cannot fail.
        let _ = root.set_attribute("data-reload", url);
        check_connection();
    }
}

/// Calls `handle` when the connection is back after it was lost, until the current owner is cleaned up.
#[cfg_attr(not(feature = "hydrate"), expect(unused_variables, reason = "the server has no connection to itself"))]
pub fn on_reconnect(handle: impl Fn() + 'static) {
    #[cfg(feature = "hydrate")]
    {
        let listener = window_event_listener_untyped("reconnect", move |_| handle());
        on_cleanup(move || listener.remove());
    }
}
