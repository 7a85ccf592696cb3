#[cfg(feature = "hydrate")]
use leptos::prelude::document;
#[cfg(feature = "hydrate")]
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

#[cfg(feature = "hydrate")]
thread_local! {
    /// The channel between the tabs of this browser. What is said on it has no content, and does not come back here.
    static TABS: Option<web_sys::BroadcastChannel> = web_sys::BroadcastChannel::new("colloquy").ok();
}

/// Tells the other tabs of this browser that something has changed here.
pub fn tell_other_tabs() {
    #[cfg(feature = "hydrate")]
    TABS.with(|tabs| {
        // They look anyway when somebody comes back to them.
        let _ = tabs.as_ref().map(|tabs| tabs.post_message(&JsValue::NULL));
    });
}

/// Hears that something may have changed elsewhere: another tab says so, or this one is looked at again, perhaps after
/// a while on another device. Ends when dropped.
pub struct Elsewhere {
    #[cfg(feature = "hydrate")]
    listener: Closure<dyn FnMut()>,
}

#[cfg_attr(not(feature = "hydrate"), expect(unused_mut, unused_variables, reason = "the server has no tabs"))]
impl Elsewhere {
    /// Calls `handle` for each such sign while the page can be seen.
    pub fn watch(mut handle: impl FnMut() + 'static) -> Self {
        #[cfg(feature = "hydrate")]
        {
            let listener = Closure::<dyn FnMut()>::new(move || {
                if !document().hidden() {
                    handle();
                }
            });
            TABS.with(|tabs| tabs.as_ref().map(|tabs| tabs.set_onmessage(Some(listener.as_ref().unchecked_ref()))));
            // Adding a listener to the document does not fail.
            let _ = document().add_event_listener_with_callback("visibilitychange", listener.as_ref().unchecked_ref());
            Self { listener }
        }
        #[cfg(not(feature = "hydrate"))]
        Self {}
    }
}

#[cfg(feature = "hydrate")]
impl Drop for Elsewhere {
    fn drop(&mut self) {
        TABS.with(|tabs| tabs.as_ref().map(|tabs| tabs.set_onmessage(None)));
        let listener = self.listener.as_ref().unchecked_ref();
        let _ = document().remove_event_listener_with_callback("visibilitychange", listener);
    }
}
