use leptos::{html::Textarea, prelude::*};

use super::kept::Kept;
use crate::{components::browser, domain::ClientId};

/// Names the draft that a field holds. When the page goes from one chat to another the field may stay, with its text.
const OF: &str = "data-draft";

/// The text that is being written: in the field, and kept for this tab, so that neither a reload nor another page of ours
/// loses anything.
#[derive(Clone, Copy)]
pub struct Draft {
    pub(super) area: NodeRef<Textarea>,
    /// Whether there is nothing to send. Said only by the browser: without scripts one can always try.
    pub(super) blank: RwSignal<bool>,
    /// Bytes of UTF-8.
    pub(super) bytes: RwSignal<usize>,
    key: StoredValue<String>,
    kept: StoredValue<Kept>,
}

/// A draft as it was when it was sent. The page that it was written on may be gone when the answer comes.
#[derive(Debug, Clone)]
pub struct Outgoing {
    key: String,
    kept: Kept,
}

impl Outgoing {
    /// The id of the message.
    pub fn message_id(&self) -> ClientId {
        self.kept.message_id()
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.kept.text
    }
}

impl Draft {
    /// The draft under this name.
    pub fn new(name: &str) -> Self {
        Self {
            area: NodeRef::new(),
            blank: RwSignal::new(false),
            bytes: RwSignal::new(0),
            key: StoredValue::new(format!("draft:{name}")),
            kept: StoredValue::new(Kept::blank()),
        }
    }

    /// The text in the field.
    pub fn text(self) -> String {
        self.area.try_get_untracked().flatten().map(|area| area.value()).unwrap_or_default()
    }

    /// Puts a text into the field.
    fn put(self, text: &str) {
        if let Some(area) = self.area.try_get_untracked().flatten() {
            area.set_value(text);
            self.measure(text);
            self.fit();
        }
    }

    /// Empties the field, but keeps the text for this tab until [`Self::forget`].
    pub fn take(self) -> Outgoing {
        self.keep(self.text());
        self.put("");
        Outgoing { key: self.key.get_value(), kept: self.kept.get_value() }
    }

    /// Puts what was taken back into the field.
    pub fn put_back(self, sent: &Outgoing) {
        self.put(sent.text());
        self.focus();
    }

    /// Forgets what was taken: it has arrived.
    pub fn forget(self, sent: &Outgoing) {
        self.replace(sent, Kept::blank());
    }

    /// Gives what was taken another id.
    pub fn renew(self, sent: &mut Outgoing) {
        let next = sent.kept.anew();
        self.replace(sent, next.clone());
        sent.kept = next;
    }

    /// Keeps another draft in place of the one that was taken, unless that was changed meanwhile.
    fn replace(self, sent: &Outgoing, next: Kept) {
        if browser::load_draft(&sent.key).is_some_and(|stored| stored == sent.kept.to_string()) {
            browser::save_draft(&sent.key, &next.to_string());
        }
        self.kept.try_update_value(|kept| {
            if *kept == sent.kept {
                *kept = next;
            }
        });
    }

    /// Moves the focus into the field, unless that would bring up a keyboard on the screen.
    pub fn focus(self) {
        if let (false, Some(area)) = (browser::is_touch(), self.area.try_get_untracked().flatten()) {
            // Focusing an element of the page does not fail.
            let _ = area.focus();
        }
    }

    /// Brings back what was kept, unless something was typed before the scripts took over.
    pub(super) fn restore(self) {
        let Some(area) = self.area.get_untracked() else { return };
        let key = self.key.get_value();
        let is_of_another = area.get_attribute(OF).is_some_and(|of| of != key);
        let typed = if is_of_another { String::new() } else { area.value() };
        // Setting an attribute of an element of the page does not fail.
        let _ = area.set_attribute(OF, &key);
        if let Some(stored) = browser::load_draft(&key) {
            self.kept.set_value(Kept::read(&stored));
        }
        if typed.is_empty() {
            self.put(&self.kept.with_value(|kept| kept.text.clone()));
        } else {
            self.noticed();
        }
    }

    /// Takes notice of what was typed. Kept at once, because a link may be followed right after.
    pub(super) fn noticed(self) {
        let text = self.text();
        self.measure(&text);
        self.fit();
        self.keep(text);
    }

    fn measure(self, text: &str) {
        self.blank.set(text.trim().is_empty());
        self.bytes.set(text.len());
    }

    fn keep(self, text: String) {
        self.kept.update_value(|kept| kept.change(text));
        self.key.with_value(|key| self.kept.with_value(|kept| browser::save_draft(key, &kept.to_string())));
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
