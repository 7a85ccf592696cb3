use leptos::prelude::*;

use crate::{components::browser::write_cookie, domain::ModelChoice};

/// The models that answer.
#[derive(Clone, Copy)]
pub struct Models {
    /// The models that can be chosen.
    pub choice: StoredValue<ModelChoice>,
    /// The id of the model for the next message; empty where there is none.
    pub chosen: RwSignal<String>,
}

impl Models {
    /// The models of this page.
    pub fn expect() -> Self {
        expect_context()
    }

    /// The models, with the one that was chosen `last` in this browser where it still answers.
    pub fn new(choice: ModelChoice, last: Option<String>) -> Self {
        let is_offered = |id: &String| choice.models.iter().any(|model| model.id == *id);
        let chosen = last.filter(is_offered).or(choice.default.clone()).unwrap_or_default();
        Self { choice: StoredValue::new(choice), chosen: RwSignal::new(chosen) }
    }

    /// Chooses the model for the next message, and for new chats of this browser.
    pub fn choose(self, id: String) {
        write_cookie("model", &id);
        self.chosen.set(id);
    }

    /// The name of a model for people; its id where the model is gone.
    pub fn label(self, id: &str) -> String {
        let label = |choice: &ModelChoice| choice.models.iter().find(|model| model.id == id).map(|m| m.label.clone());
        self.choice.with_value(label).unwrap_or_else(|| id.to_owned())
    }

    /// Whether a model answers.
    pub fn offers(self, id: &str) -> bool {
        self.choice.with_value(|choice| choice.models.iter().any(|model| model.id == id))
    }
}
