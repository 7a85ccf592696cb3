use leptos::{html::Textarea, prelude::*};

use super::stored_draft::StoredDraft;
use crate::{components::browser, domain::ClientId};

/// The attribute with the key of the draft in the field. The field and its text may survive a change of chat.
const DRAFT_ATTRIBUTE: &str = "data-draft";

/// The text that is being written. It is in the field and stored for this tab, so that neither a reload nor navigation
/// within the site loses it.
#[derive(Clone, Copy)]
pub struct Draft {
    pub(super) textarea: NodeRef<Textarea>,
    /// Whether there is nothing to send. Only known in the browser: without scripts the button is always enabled.
    pub(super) is_blank: RwSignal<bool>,
    /// Length of the text in bytes of UTF-8.
    pub(super) bytes: RwSignal<usize>,
    key: StoredValue<String>,
    stored: StoredValue<StoredDraft>,
}

/// A draft as it was when it was sent. Its page may be closed by the time the server responds.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    key: String,
    stored: StoredDraft,
}

impl OutgoingMessage {
    /// The id of the message.
    pub fn message_id(&self) -> ClientId {
        self.stored.message_id()
    }

    /// The text of the message.
    pub fn text(&self) -> &str {
        &self.stored.text
    }
}

impl Draft {
    /// The draft with this name.
    pub fn new(name: &str) -> Self {
        Self {
            textarea: NodeRef::new(),
            is_blank: RwSignal::new(false),
            bytes: RwSignal::new(0),
            key: StoredValue::new(format!("draft:{name}")),
            stored: StoredValue::new(StoredDraft::empty()),
        }
    }

    /// The text in the field.
    pub fn text(self) -> String {
        self.textarea.try_get_untracked().flatten().map(|textarea| textarea.value()).unwrap_or_default()
    }

    /// Sets the text of the field.
    fn set_text(self, text: &str) {
        if let Some(textarea) = self.textarea.try_get_untracked().flatten() {
            textarea.set_value(text);
            self.update_length(text);
            self.resize_to_content();
        }
    }

    /// Replaces the text by the beginning of a message, to be completed at its end.
    pub fn begin(self, text: &str) {
        self.set_text(text);
        self.store(text.to_owned());
        if let Some(textarea) = self.textarea.try_get_untracked().flatten() {
            browser::focus(&textarea);
        }
    }

    /// Empties the field, but keeps the text stored for this tab until [`Self::discard`].
    pub fn take(self) -> OutgoingMessage {
        self.store(self.text());
        self.set_text("");
        OutgoingMessage { key: self.key.get_value(), stored: self.stored.get_value() }
    }

    /// Puts a taken draft back into the field.
    pub fn restore(self, sent: &OutgoingMessage) {
        self.set_text(sent.text());
        self.focus();
    }

    /// Deletes a taken draft from storage, because it was delivered.
    pub fn discard(self, sent: &OutgoingMessage) {
        self.replace_stored(sent, StoredDraft::empty());
    }

    /// Assigns a new id to a taken draft.
    pub fn assign_new_id(self, sent: &mut OutgoingMessage) {
        let next = sent.stored.with_new_id();
        self.replace_stored(sent, next.clone());
        sent.stored = next;
    }

    /// Replaces the stored copy of a taken draft, unless it was changed in the meantime.
    fn replace_stored(self, sent: &OutgoingMessage, next: StoredDraft) {
        if browser::load_draft(&sent.key).is_some_and(|stored| stored == sent.stored.to_string()) {
            browser::save_draft(&sent.key, &next.to_string());
        }
        self.stored.try_update_value(|stored| {
            if *stored == sent.stored {
                *stored = next;
            }
        });
    }

    /// Focuses the field, unless that would open an on-screen keyboard.
    pub fn focus(self) {
        if let (false, Some(textarea)) = (browser::is_touch(), self.textarea.try_get_untracked().flatten()) {
            browser::focus(&textarea);
        }
    }

    /// Loads the stored draft into the field, unless the user typed something before hydration.
    pub(super) fn load_stored(self) {
        let Some(textarea) = self.textarea.get_untracked() else { return };
        let key = self.key.get_value();
        let is_other_draft = textarea.get_attribute(DRAFT_ATTRIBUTE).is_some_and(|attribute| attribute != key);
        let typed = if is_other_draft { String::new() } else { textarea.value() };
        // Setting a valid attribute does not fail.
        let _ = textarea.set_attribute(DRAFT_ATTRIBUTE, &key);
        if let Some(stored) = browser::load_draft(&key) {
            self.stored.set_value(StoredDraft::parse(&stored));
        }
        if typed.is_empty() {
            self.set_text(&self.stored.with_value(|stored| stored.text.clone()));
        } else {
            self.on_input();
        }
    }

    /// Handles input. The text is stored immediately, because the user may follow a link right after typing.
    pub(super) fn on_input(self) {
        let text = self.text();
        self.update_length(&text);
        self.resize_to_content();
        self.store(text);
    }

    fn update_length(self, text: &str) {
        self.is_blank.set(text.trim().is_empty());
        self.bytes.set(text.len());
    }

    fn store(self, text: String) {
        self.stored.update_value(|stored| stored.set_text(text));
        self.key.with_value(|key| self.stored.with_value(|stored| browser::save_draft(key, &stored.to_string())));
    }

    /// Sizes the field by its content where the browser does not (`field-sizing`).
    fn resize_to_content(self) {
        let Some(textarea) = self.textarea.get_untracked() else { return };
        if !browser::supports_field_sizing() {
            let style = (*textarea).style();
            // Setting the height does not fail.
            let _ = style.set_property("height", "auto");
            let _ = style.set_property("height", &format!("{}px", textarea.scroll_height()));
        }
    }
}
