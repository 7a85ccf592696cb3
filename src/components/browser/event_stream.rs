#[cfg(feature = "hydrate")]
use wasm_bindgen::{JsCast, closure::Closure};

/// How a stream was disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnect {
    /// The browser reconnects on its own.
    Reconnecting,
    /// The stream is closed; the browser does not reconnect.
    Closed,
}

/// A stream of server-sent events. Reconnects on its own; closed when dropped.
#[derive(Default)]
pub struct EventStream {
    #[cfg(feature = "hydrate")]
    source: Option<web_sys::EventSource>,
    #[cfg(feature = "hydrate")]
    listeners: Vec<Closure<dyn FnMut(web_sys::Event)>>,
}

#[cfg_attr(
    not(feature = "hydrate"),
    expect(unused_mut, unused_variables, reason = "the server opens no streams to itself")
)]
impl EventStream {
    /// Opens the stream at a path of this site.
    pub fn open(path: &str) -> Self {
        #[cfg(feature = "hydrate")]
        {
            Self { source: web_sys::EventSource::new(path).ok(), listeners: Vec::new() }
        }
        #[cfg(not(feature = "hydrate"))]
        Self::default()
    }

    /// Calls `handle` with the data of each event of this name.
    pub fn on(&mut self, name: &str, mut handle: impl FnMut(String) + 'static) {
        #[cfg(feature = "hydrate")]
        self.listen(name, move |event| {
            let data = event.unchecked_into::<web_sys::MessageEvent>().data().as_string();
            handle(data.unwrap_or_default());
        });
    }

    /// Calls `handle` whenever the connection is established.
    pub fn on_open(&mut self, mut handle: impl FnMut() + 'static) {
        #[cfg(feature = "hydrate")]
        self.listen("open", move |_| handle());
    }

    /// Calls `handle` whenever the connection is lost.
    pub fn on_disconnect(&mut self, mut handle: impl FnMut(Disconnect) + 'static) {
        #[cfg(feature = "hydrate")]
        if let Some(source) = self.source.clone() {
            self.listen("error", move |_| {
                handle(match source.ready_state() {
                    web_sys::EventSource::CLOSED => Disconnect::Closed,
                    _ => Disconnect::Reconnecting,
                });
            });
        }
    }

    #[cfg(feature = "hydrate")]
    fn listen(&mut self, name: &str, handle: impl FnMut(web_sys::Event) + 'static) {
        if let Some(source) = &self.source {
            let listener = Closure::<dyn FnMut(web_sys::Event)>::new(handle);
            // Adding a listener to a live object does not fail.
            let _ = source.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
            self.listeners.push(listener);
        }
    }
}

#[cfg(feature = "hydrate")]
impl Drop for EventStream {
    fn drop(&mut self) {
        if let Some(source) = &self.source {
            source.close();
        }
    }
}
