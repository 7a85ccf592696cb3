#[cfg(feature = "hydrate")]
use leptos::prelude::document;
#[cfg(feature = "hydrate")]
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

#[cfg(feature = "hydrate")]
thread_local! {
    /// The channel between the tabs of this browser. Its messages are empty and are not delivered to the sender.
    static TAB_CHANNEL: Option<web_sys::BroadcastChannel> = web_sys::BroadcastChannel::new("colloquy").ok();
}

/// Notifies the other tabs of this browser that something has changed.
pub fn notify_other_tabs() {
    #[cfg(feature = "hydrate")]
    TAB_CHANNEL.with(|channel| {
        // If this fails, the other tabs refresh anyway when they become visible.
        let _ = channel.as_ref().map(|channel| channel.post_message(&JsValue::NULL));
    });
}

/// Listens for signs that data may have changed outside this tab: a message from another tab, or this tab becoming
/// visible again (the user may have used another device). Stops when dropped.
pub struct ExternalChangeListener {
    #[cfg(feature = "hydrate")]
    listener: Closure<dyn FnMut()>,
}

#[cfg_attr(not(feature = "hydrate"), expect(unused_mut, unused_variables, reason = "the server has no tabs"))]
impl ExternalChangeListener {
    /// Calls `handle` for each such sign while the page is visible.
    pub fn watch(mut handle: impl FnMut() + 'static) -> Self {
        #[cfg(feature = "hydrate")]
        {
            let listener = Closure::<dyn FnMut()>::new(move || {
                if !document().hidden() {
                    handle();
                }
            });
            TAB_CHANNEL.with(|channel| {
                channel.as_ref().map(|channel| channel.set_onmessage(Some(listener.as_ref().unchecked_ref())))
            });
            // Adding a listener to the document does not fail.
            let _ = document().add_event_listener_with_callback("visibilitychange", listener.as_ref().unchecked_ref());
            Self { listener }
        }
        #[cfg(not(feature = "hydrate"))]
        Self {}
    }
}

#[cfg(feature = "hydrate")]
impl Drop for ExternalChangeListener {
    fn drop(&mut self) {
        TAB_CHANNEL.with(|channel| channel.as_ref().map(|channel| channel.set_onmessage(None)));
        let listener = self.listener.as_ref().unchecked_ref();
        let _ = document().remove_event_listener_with_callback("visibilitychange", listener);
    }
}
