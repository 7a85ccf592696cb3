use leptos::prelude::*;

use crate::{
    components::Draft,
    domain::{AppError, ChatId, ClientId, Sent},
    pages::frame::FrameState,
    server_fns::messages::send_message,
};

/// Sends what is in the composer, once.
#[derive(Clone, Copy)]
pub struct Sender {
    frame: FrameState,
    /// The model that is asked.
    pub model: RwSignal<String>,
    /// The text that is being written.
    pub draft: Draft,
    /// Whether a message is on its way.
    pub sending: RwSignal<bool>,
    /// Why the last one was not taken.
    pub error: RwSignal<Option<AppError>>,
    /// The text that was not taken. Sent again unchanged it keeps its id, so that it cannot arrive twice.
    refused: StoredValue<Option<String>>,
}

impl Sender {
    /// A sender with a draft of this name.
    pub fn new(frame: FrameState, model: RwSignal<String>, draft: &str) -> Self {
        Self {
            frame,
            model,
            draft: Draft::new(draft),
            sending: RwSignal::new(false),
            error: RwSignal::new(None),
            refused: StoredValue::new(None),
        }
    }

    /// The id of the chosen model, where there is one.
    pub fn chosen_model(self) -> Option<String> {
        Some(self.model.get_untracked()).filter(|model| !model.is_empty())
    }

    /// The chosen model's name for people.
    pub fn model_label(self) -> Option<String> {
        self.chosen_model().map(|id| self.frame.model_label(&id))
    }

    /// Chooses another model, here and for new chats.
    pub fn choose_model(self, id: String) {
        self.model.set(id.clone());
        self.frame.choose_model(id);
    }

    /// Takes the text out of the composer; `None` while another message is on its way.
    pub fn begin(self) -> Option<String> {
        if self.sending.get_untracked() {
            return None;
        }
        let text = self.draft.take();
        if self.refused.with_value(|refused| refused.as_ref().is_some_and(|refused| *refused != text)) {
            self.frame.client_id.set(ClientId::random());
        }
        self.error.set(None);
        self.sending.set(true);
        Some(text)
    }

    /// Sends it. On any failure the text is back in the composer and the error says why.
    pub async fn send(self, chat: Option<ChatId>, text: String) -> Option<Sent> {
        let client_id = self.frame.client_id.get_untracked();
        let sent = send_message(chat, client_id, text.clone(), self.chosen_model()).await;
        self.sending.try_set(false);
        match sent {
            Ok(sent) => {
                self.frame.client_id.try_set(ClientId::random());
                self.refused.try_set_value(None);
                self.draft.forget();
                Some(sent)
            }
            Err(error) => {
                self.draft.put(&text);
                self.draft.focus();
                self.refused.try_set_value(Some(text));
                self.error.try_set(Some(error));
                None
            }
        }
    }
}
