use std::time::Duration;

use leptos::{html::Textarea, prelude::*};

use crate::components::browser;

const PAUSE: Duration = Duration::from_millis(300);

/// The text that is being written: in the field, and kept for this tab, so that a reload loses nothing.
#[derive(Clone, Copy)]
pub struct Draft {
    pub(super) area: NodeRef<Textarea>,
    /// Whether there is nothing to send. Said only by the browser: without scripts one can always try.
    pub(super) blank: RwSignal<bool>,
    /// Bytes of UTF-8.
    pub(super) bytes: RwSignal<usize>,
    key: StoredValue<String>,
    waiting: StoredValue<Option<TimeoutHandle>>,
}

impl Draft {
    /// The draft under this name.
    pub fn new(name: &str) -> Self {
        Self {
            area: NodeRef::new(),
            blank: RwSignal::new(false),
            bytes: RwSignal::new(0),
            key: StoredValue::new(format!("draft:{name}")),
            waiting: StoredValue::new(None),
        }
    }

    /// The text in the field.
    pub fn text(self) -> String {
        self.area.get_untracked().map(|area| area.value()).unwrap_or_default()
    }

    /// Puts a text into the field.
    pub fn put(self, text: &str) {
        if let Some(area) = self.area.try_get_untracked().flatten() {
            area.set_value(text);
            self.measure(text);
            self.fit();
        }
    }

    /// Empties the field, but keeps the text for this tab until [`Self::forget`].
    pub fn take(self) -> String {
        let text = self.text();
        self.keep(&text);
        self.put("");
        text
    }

    /// Forgets the kept text: it has arrived.
    pub fn forget(self) {
        self.keep("");
    }

    /// Moves the focus into the field, unless that would bring up a keyboard on the screen.
    pub fn focus(self) {
        if let (false, Some(area)) = (browser::is_touch(), self.area.get_untracked()) {
            // Focusing an element of the page does not fail.
            let _ = area.focus();
        }
    }

    /// Brings back what was kept, unless something was typed already.
    pub(super) fn restore(self) {
        let typed = self.text();
        let kept = self.key.with_value(|key| browser::load_draft(key));
        match kept {
            Some(kept) if typed.is_empty() => self.put(&kept),
            _ => self.put(&typed),
        }
    }

    /// Takes notice of what was typed.
    pub(super) fn noticed(self) {
        let text = self.text();
        self.measure(&text);
        self.fit();
        if let Some(handle) = self.waiting.get_value() {
            handle.clear();
        }
        let keep = move || {
            if let Some(area) = self.area.try_get_untracked().flatten() {
                self.keep(&area.value());
            }
        };
        self.waiting.set_value(set_timeout_with_handle(keep, PAUSE).ok());
    }

    fn measure(self, text: &str) {
        self.blank.set(text.trim().is_empty());
        self.bytes.set(text.len());
    }

    fn keep(self, text: &str) {
        if let Some(handle) = self.waiting.try_update_value(Option::take).flatten() {
            handle.clear();
        }
        self.key.try_with_value(|key| browser::save_draft(key, text));
    }

    /// Where the browser does not size the field by its content, this does.
    fn fit(self) {
        let Some(area) = self.area.get_untracked() else { return };
        if !browser::sizes_fields() {
            let style = (*area).style();
            // Setting the height of an element does not fail.
            let _ = style.set_property("height", "auto");
            let _ = style.set_property("height", &format!("{}px", area.scroll_height()));
        }
    }
}
