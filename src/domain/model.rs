//! The models that users can choose from.

use serde::{Deserialize, Serialize};

use super::Failure;

/// An available model. Its `id` is `provider/name` and is stable across restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelOption {
    /// `provider/name`, for example `local/SmolLM2-135M-Instruct.Q4_1` or `ollama/qwen3:8b`.
    pub id: String,
    /// The display name.
    pub label: String,
    /// The display name of the provider ("On this server", "ollama").
    pub provider: String,
    /// The size of its context window, such as `8K`; empty if it is unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// Whether Colloquy runs it itself.
    pub local: bool,
    /// Whether it is the very small model that is bundled with Colloquy.
    pub bundled: bool,
}

impl ModelOption {
    /// The heading of its group in the model picker.
    pub fn group(&self) -> &str {
        if self.local { t!("chat.model.on_this_machine") } else { &self.provider }
    }
}

/// The available models and the default for new chats.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ModelChoice {
    /// The available models, in the order of the picker.
    pub models: Vec<ModelOption>,
    /// The id of the default model, if there is any model.
    pub default: Option<String>,
}

/// A provider of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectedProvider {
    /// Its short name.
    pub name: String,
    /// Its base URL. The key is never part of it.
    pub address: String,
    /// The names of its models.
    pub models: Vec<String>,
    /// Why it could not be asked just now.
    pub failure: Option<Failure>,
}

/// What is connected to this server, for administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectedModels {
    /// The providers, in the order of the configuration.
    pub providers: Vec<ConnectedProvider>,
    /// The display names of the models of this server.
    pub local: Vec<String>,
    /// The folder for model files.
    pub folder: String,
}
