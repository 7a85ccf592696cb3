use leptos::prelude::*;

use crate::{
    components::{Draft, OutgoingMessage, browser},
    domain::{AppError, ChatId, StartedRun},
    pages::shell::Models,
    server_fns::messages::send_message,
};

/// Sends the message in the composer, one at a time.
#[derive(Clone, Copy)]
pub struct MessageSender {
    models: Models,
    /// The id of the selected model; empty if there is none.
    pub model: RwSignal<String>,
    /// The draft.
    pub draft: Draft,
    /// Whether a message is being sent.
    pub sending: RwSignal<bool>,
    /// Why the last message was not accepted.
    pub error: RwSignal<Option<AppError>>,
}

impl MessageSender {
    /// A sender with the draft of this name.
    pub fn new(models: Models, model: RwSignal<String>, draft: &str) -> Self {
        let error = RwSignal::new(None);
        // It is not true any more, and the message is in the field again.
        browser::on_reconnect(move || {
            error.update(|error| *error = error.take().filter(|error| *error != AppError::Transport))
        });
        Self { models, model, draft: Draft::new(draft), sending: RwSignal::new(false), error }
    }

    /// The id of the selected model; `None` if there is none.
    pub fn chosen_model(self) -> Option<String> {
        Some(self.model.get_untracked()).filter(|model| !model.is_empty())
    }

    /// The display name of the selected model.
    pub fn model_label(self) -> Option<String> {
        self.chosen_model().map(|id| self.models.label(&id))
    }

    /// Selects another model, here and for new chats.
    pub fn choose_model(self, id: String) {
        self.model.set(id.clone());
        self.models.choose(id);
    }

    /// Takes the draft out of the composer; `None` while another message is being sent.
    pub fn take_draft(self) -> Option<OutgoingMessage> {
        if self.sending.get_untracked() {
            return None;
        }
        self.error.set(None);
        self.sending.set(true);
        Some(self.draft.take())
    }

    /// Sends a message. On failure the text is restored in the composer and the error is shown. The user may leave the
    /// page in the meantime.
    pub async fn send(self, chat: Option<ChatId>, mut outgoing: OutgoingMessage) -> Option<StartedRun> {
        let model = self.chosen_model();
        let request = |outgoing: &OutgoingMessage| {
            send_message(chat, outgoing.message_id(), outgoing.text().to_owned(), model.clone())
        };
        let mut sent = request(&outgoing).await;
        if sent == Err(AppError::MessageIdUsed) {
            self.draft.assign_new_id(&mut outgoing);
            sent = request(&outgoing).await;
        }
        self.sending.try_set(false);
        match sent {
            Ok(sent) => {
                self.draft.discard(&outgoing);
                Some(sent)
            }
            Err(error) => {
                self.draft.restore(&outgoing);
                self.show_error(error);
                None
            }
        }
    }

    /// Shows an error.
    pub fn show_error(self, error: AppError) {
        self.error.try_set(Some(error));
    }
}
