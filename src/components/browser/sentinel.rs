use leptos::web_sys::Element;
#[cfg(feature = "hydrate")]
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

/// Observes (`IntersectionObserver`) whether an element gets close to the visible part of its scroller. Stops when
/// dropped.
pub struct Sentinel {
    #[cfg(feature = "hydrate")]
    observer: web_sys::IntersectionObserver,
    #[cfg(feature = "hydrate")]
    _listener: Closure<dyn FnMut(js_sys::Array)>,
}

#[cfg_attr(not(feature = "hydrate"), expect(unused_mut, unused_variables, reason = "nothing is visible on the server"))]
impl Sentinel {
    /// Calls `handle` when `element` is within one screen of the visible part of `scroller`.
    pub fn watch(element: &Element, scroller: &Element, mut handle: impl FnMut() + 'static) -> Option<Self> {
        #[cfg(feature = "hydrate")]
        {
            let listener = Closure::<dyn FnMut(js_sys::Array)>::new(move |entries: js_sys::Array| {
                let near =
                    |entry: JsValue| entry.unchecked_into::<web_sys::IntersectionObserverEntry>().is_intersecting();
                if entries.iter().any(near) {
                    handle();
                }
            });
            let options = web_sys::IntersectionObserverInit::new();
            options.set_root(Some(scroller));
            options.set_root_margin("100% 0px 100% 0px");
            let observer =
                web_sys::IntersectionObserver::new_with_options(listener.as_ref().unchecked_ref(), &options).ok()?;
            observer.observe(element);
            Some(Self { observer, _listener: listener })
        }
        #[cfg(not(feature = "hydrate"))]
        None
    }
}

#[cfg(feature = "hydrate")]
impl Drop for Sentinel {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}
