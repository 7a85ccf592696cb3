use leptos::prelude::*;

use crate::{components::browser::write_cookie, domain::ModelChoice};

/// The available models and the selected one.
#[derive(Clone, Copy)]
pub struct Models {
    /// The available models.
    pub choice: StoredValue<ModelChoice>,
    /// The id of the model for the next message; empty if there is none.
    pub chosen: RwSignal<String>,
    /// Whether the note about the small model was dismissed.
    pub small_model_note_dismissed: RwSignal<bool>,
}

/// The cookie that says that the note about the small model was dismissed.
pub const SMALL_MODEL_NOTE: &str = "small-model-note";

impl Models {
    /// Gets the models from the context.
    pub fn expect() -> Self {
        expect_context()
    }

    /// Selects the model that was chosen `last` in this browser if it is still available, otherwise the default.
    pub fn new(choice: ModelChoice, last: Option<String>, small_model_note_dismissed: bool) -> Self {
        let is_offered = |id: &String| choice.models.iter().any(|model| model.id == *id);
        let chosen = last.filter(is_offered).or(choice.default.clone()).unwrap_or_default();
        let small_model_note_dismissed = RwSignal::new(small_model_note_dismissed);
        Self { choice: StoredValue::new(choice), chosen: RwSignal::new(chosen), small_model_note_dismissed }
    }

    /// Hides the note about the small model, now and on the next visits of this browser.
    pub fn dismiss_small_model_note(self) {
        write_cookie(SMALL_MODEL_NOTE, "dismissed");
        self.small_model_note_dismissed.set(true);
    }

    /// Selects the model for the next message, and for new chats in this browser.
    pub fn choose(self, id: String) {
        write_cookie("model", &id);
        self.chosen.set(id);
    }

    /// The display name of a model; its id if the model is not available any more.
    pub fn label(self, id: &str) -> String {
        let label = |choice: &ModelChoice| choice.models.iter().find(|model| model.id == id).map(|m| m.label.clone());
        self.choice.with_value(label).unwrap_or_else(|| id.to_owned())
    }

    /// Whether a model is available.
    pub fn is_available(self, id: &str) -> bool {
        self.choice.with_value(|choice| choice.models.iter().any(|model| model.id == id))
    }
}
