use std::fmt;

use crate::domain::ClientId;

/// A draft as stored in the browser: the text and the id of the draft. The message id is derived from both.
///
/// A text that is sent again unchanged has the same message id, even after a reload, so it cannot be delivered twice. A
/// changed text has another id, so it is never mistaken for the earlier message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDraft {
    id: ClientId,
    /// The text.
    pub text: String,
}

impl StoredDraft {
    /// An empty draft with a new id.
    pub fn empty() -> Self {
        Self { id: ClientId::random(), text: String::new() }
    }

    /// Parses the output of [`fmt::Display`]. A text without an id gets a new one.
    pub fn parse(stored: &str) -> Self {
        let parts = stored.split_once('\n').and_then(|(id, text)| Some((id.parse().ok()?, text)));
        let (id, text) = parts.unwrap_or_else(|| (ClientId::random(), stored));
        Self { id, text: text.to_owned() }
    }

    /// The id of the message that this draft becomes.
    pub fn message_id(&self) -> ClientId {
        self.id.of_message(&self.text)
    }

    /// Sets the text. An emptied draft gets a new id: what is typed next is another message.
    pub fn set_text(&mut self, text: String) {
        if text.is_empty() {
            self.id = ClientId::random();
        }
        self.text = text;
    }

    /// The same text with a new id.
    pub fn with_new_id(&self) -> Self {
        Self { text: self.text.clone(), ..Self::empty() }
    }
}

/// An empty string if there is no text; otherwise the id, a line feed, and the text.
impl fmt::Display for StoredDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() { Ok(()) } else { write!(f, "{}\n{}", self.id, self.text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> StoredDraft {
        let mut draft = StoredDraft::empty();
        draft.set_text(text.to_owned());
        draft
    }

    #[test]
    fn a_resent_text_keeps_its_message_id_even_after_a_reload() {
        let original = draft("How long is a week?\nAnd a month?");
        let reloaded = StoredDraft::parse(&original.to_string());
        assert_eq!(reloaded, original);
        assert_eq!(reloaded.message_id(), original.message_id());
        let mut edited = reloaded;
        edited.set_text("How long".to_owned());
        assert_ne!(edited.message_id(), original.message_id());
        edited.set_text(original.text.clone());
        assert_eq!(edited.message_id(), original.message_id());
    }

    #[test]
    fn another_text_or_draft_has_another_message_id() {
        let original = draft("one");
        // A duplicated tab has the same draft.
        let mut in_another_tab = StoredDraft::parse(&original.to_string());
        in_another_tab.set_text("two".to_owned());
        assert_ne!(in_another_tab.message_id(), original.message_id());
        assert_ne!(draft("one").message_id(), original.message_id());
        assert_ne!(original.with_new_id().message_id(), original.message_id());
        assert_eq!(original.with_new_id().text, "one");
    }

    #[test]
    fn an_emptied_draft_gets_a_new_id() {
        let original = draft("one");
        let mut next = original.clone();
        next.set_text(String::new());
        assert_eq!(next.to_string(), "");
        next.set_text("one".to_owned());
        assert_ne!(next.message_id(), original.message_id());
    }

    #[test]
    fn a_text_without_an_id_is_parsed_as_a_whole() {
        for stored in ["one", "one\ntwo", "\n", "0190e2a4-7b1c-7def-8123-456789abcdef", ""] {
            assert_eq!(StoredDraft::parse(stored).text, stored);
        }
        let draft = draft("\n\nfirst\r\nthen\n");
        assert_eq!(StoredDraft::parse(&draft.to_string()), draft);
    }
}
