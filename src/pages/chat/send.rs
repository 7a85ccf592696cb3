use leptos::prelude::*;

use crate::{
    components::{Draft, Outgoing},
    domain::{AppError, ChatId, Sent},
    pages::shell::Models,
    server_fns::messages::send_message,
};

/// Sends what is in the composer, once.
#[derive(Clone, Copy)]
pub struct Sender {
    models: Models,
    /// The model that is asked.
    pub model: RwSignal<String>,
    /// The text that is being written.
    pub draft: Draft,
    /// Whether a message is on its way.
    pub sending: RwSignal<bool>,
    /// Why the last one was not taken.
    pub error: RwSignal<Option<AppError>>,
}

impl Sender {
    /// A sender with a draft of this name.
    pub fn new(models: Models, model: RwSignal<String>, draft: &str) -> Self {
        Self { models, model, draft: Draft::new(draft), sending: RwSignal::new(false), error: RwSignal::new(None) }
    }

    /// The id of the chosen model, where there is one.
    pub fn chosen_model(self) -> Option<String> {
        Some(self.model.get_untracked()).filter(|model| !model.is_empty())
    }

    /// The chosen model's name for people.
    pub fn model_label(self) -> Option<String> {
        self.chosen_model().map(|id| self.models.label(&id))
    }

    /// Chooses another model, here and for new chats.
    pub fn choose_model(self, id: String) {
        self.model.set(id.clone());
        self.models.choose(id);
    }

    /// Takes the text out of the composer; `None` while another message is on its way.
    pub fn begin(self) -> Option<Outgoing> {
        if self.sending.get_untracked() {
            return None;
        }
        self.error.set(None);
        self.sending.set(true);
        Some(self.draft.take())
    }

    /// Sends it. On any failure the text is back in the composer and the error says why. The page may be left meanwhile.
    pub async fn send(self, chat: Option<ChatId>, mut outgoing: Outgoing) -> Option<Sent> {
        let model = self.chosen_model();
        let ask =
            |outgoing: &Outgoing| send_message(chat, outgoing.message_id(), outgoing.text().to_owned(), model.clone());
        let mut sent = ask(&outgoing).await;
        if sent == Err(AppError::MessageIdUsed) {
            self.draft.renew(&mut outgoing);
            sent = ask(&outgoing).await;
        }
        self.sending.try_set(false);
        match sent {
            Ok(sent) => {
                self.draft.forget(&outgoing);
                Some(sent)
            }
            Err(error) => {
                self.draft.put_back(&outgoing);
                self.fail(error);
                None
            }
        }
    }

    /// Says why something was not done. That the sign-in has ended is said above the page.
    pub fn fail(self, error: AppError) {
        self.error.try_set(Some(error).filter(|error| *error != AppError::Unauthenticated));
    }
}
