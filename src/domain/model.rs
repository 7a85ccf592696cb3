//! Models as the picker shows them.

use serde::{Deserialize, Serialize};

/// A model that can be asked. Its `id` is `provider/name` and stays the same over restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelOption {
    /// `provider/name`, for example `local/SmolLM2-135M-Instruct.Q4_1` or `ollama/qwen3:8b`.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// The provider's name for people ("On this machine", "ollama").
    pub provider: String,
    /// Whether it runs on this machine, inside Colloquy.
    pub local: bool,
    /// Whether it is the very small model that comes with Colloquy.
    pub bundled: bool,
}

impl ModelOption {
    /// What the picker puts it and its like under.
    pub fn group(&self) -> &str {
        if self.local { t!("chat.model.on_this_machine") } else { &self.provider }
    }
}

/// The models, and the one that a new chat starts with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModelChoice {
    /// All models that answer now, in the order of the picker.
    pub models: Vec<ModelOption>,
    /// The id of the default, where there is any model.
    pub default: Option<String>,
}
