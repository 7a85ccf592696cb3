use std::fmt;

use crate::domain::ClientId;

/// A draft as the browser keeps it: the text and the id of the draft, from which the id of the message follows.
///
/// A text that is sent again unchanged keeps its id, also after a reload, so that it cannot arrive twice. A text that was
/// changed has another one, so that it is never taken for the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    id: ClientId,
    /// The text.
    pub text: String,
}

impl Kept {
    /// A draft with nothing in it.
    pub fn blank() -> Self {
        Self { id: ClientId::random(), text: String::new() }
    }

    /// Reads what [`fmt::Display`] wrote. A text without an id gets a new one.
    pub fn read(stored: &str) -> Self {
        let parts = stored.split_once('\n').and_then(|(id, text)| Some((id.parse().ok()?, text)));
        let (id, text) = parts.unwrap_or_else(|| (ClientId::random(), stored));
        Self { id, text: text.to_owned() }
    }

    /// The id of the message, if it is sent as it stands.
    pub fn message_id(&self) -> ClientId {
        self.id.of_message(&self.text)
    }

    /// Takes the text as it was changed. A draft that was emptied is over: what comes next is another one.
    pub fn change(&mut self, text: String) {
        if text.is_empty() {
            self.id = ClientId::random();
        }
        self.text = text;
    }

    /// The same text as another message.
    pub fn anew(&self) -> Self {
        Self { text: self.text.clone(), ..Self::blank() }
    }
}

/// Empty where there is no text.
impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.text.is_empty() { Ok(()) } else { write!(f, "{}\n{}", self.id, self.text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Kept {
        let mut draft = Kept::blank();
        draft.change(text.to_owned());
        draft
    }

    #[test]
    fn a_text_that_is_tried_again_keeps_its_id_also_after_a_reload() {
        let tried = draft("How long is a week?\nAnd a month?");
        let reloaded = Kept::read(&tried.to_string());
        assert_eq!(reloaded, tried);
        assert_eq!(reloaded.message_id(), tried.message_id());
        let mut edited = reloaded;
        edited.change("How long".to_owned());
        assert_ne!(edited.message_id(), tried.message_id());
        edited.change(tried.text.clone());
        assert_eq!(edited.message_id(), tried.message_id());
    }

    #[test]
    fn another_text_or_another_draft_is_another_message() {
        let tried = draft("one");
        // A tab that was duplicated holds the same draft.
        let mut in_another_tab = Kept::read(&tried.to_string());
        in_another_tab.change("two".to_owned());
        assert_ne!(in_another_tab.message_id(), tried.message_id());
        assert_ne!(draft("one").message_id(), tried.message_id());
        assert_ne!(tried.anew().message_id(), tried.message_id());
        assert_eq!(tried.anew().text, "one");
    }

    #[test]
    fn an_emptied_draft_is_over() {
        let tried = draft("one");
        let mut next = tried.clone();
        next.change(String::new());
        assert_eq!(next.to_string(), "");
        next.change("one".to_owned());
        assert_ne!(next.message_id(), tried.message_id());
    }

    #[test]
    fn a_text_without_an_id_is_read_whole() {
        for stored in ["one", "one\ntwo", "\n", "0190e2a4-7b1c-7def-8123-456789abcdef", ""] {
            assert_eq!(Kept::read(stored).text, stored);
        }
        let draft = draft("\n\nfirst\r\nthen\n");
        assert_eq!(Kept::read(&draft.to_string()), draft);
    }
}
