//! What a server tells about a model.

use serde_json::Value;

use super::super::remote::parse_count;

/// The smallest context window in tokens that a request is made for.
const MIN_CONTEXT: u32 = 256;

/// What a request and the list of models depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelInfo {
    /// The longest context window that the model was trained for, in tokens.
    trained: Option<u32>,
    /// The context window that the model's own parameters set, in tokens.
    preset: Option<u32>,
    /// Whether the model runs elsewhere and the server only passes requests on.
    pub is_remote: bool,
    /// Whether it writes text.
    pub can_chat: bool,
}

impl Default for ModelInfo {
    /// Of a model about which nothing is known.
    fn default() -> Self {
        Self { trained: None, preset: None, is_remote: false, can_chat: true }
    }
}

impl ModelInfo {
    /// Reads the description of a model.
    pub fn of(description: &Value) -> Self {
        let known = |count: u32| Some(count).filter(|count| *count > 0);
        let details = description.get("model_info").unwrap_or(&Value::Null);
        let architecture = details.get("general.architecture").and_then(Value::as_str).unwrap_or_default();
        let parameters = description.get("parameters").and_then(Value::as_str).unwrap_or_default();
        let preset = parameters.lines().find_map(|line| line.trim().strip_prefix("num_ctx")?.trim().parse().ok());
        let capabilities = description.get("capabilities").and_then(Value::as_array);
        let remote = description.get("remote_host").and_then(Value::as_str).unwrap_or_default();
        Self {
            trained: known(parse_count(details, &format!("{architecture}.context_length"))),
            preset: preset.and_then(known),
            is_remote: !remote.is_empty(),
            can_chat: capabilities.is_none_or(|all| all.iter().any(|one| one == "completion")),
        }
    }

    /// The context window to use: what is configured, what the model sets, or `usual`, but not more than the model was
    /// trained for. A model that runs elsewhere uses all of it.
    pub fn context(self, configured: Option<u32>, usual: u32) -> u32 {
        let trained = self.trained.unwrap_or(u32::MAX);
        let wanted = match (configured, self.trained) {
            (Some(configured), _) => configured,
            (None, Some(trained)) if self.is_remote => trained,
            (None, _) => self.preset.unwrap_or(usual),
        };
        wanted.min(trained).max(MIN_CONTEXT)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_context_window_is_what_the_server_can_use() {
        let info = |trained: u32, parameters: &str, remote: &str| {
            let model_info = json!({"general.architecture": "llama", "llama.context_length": trained});
            ModelInfo::of(&json!({"model_info": model_info, "parameters": parameters, "remote_host": remote}))
        };
        for (info, configured, context) in [
            (info(131_072, "", ""), None, 8_192),
            (info(131_072, "", ""), Some(32_768), 32_768),
            (info(4_096, "", ""), Some(32_768), 4_096),
            (info(2_048, "", ""), None, 2_048),
            (info(131_072, "temperature 0.7\nnum_ctx                        16384", ""), None, 16_384),
            (info(131_072, "num_ctx 16384", ""), Some(4_096), 4_096),
            (info(131_072, "", "https://ollama.com:443"), None, 131_072),
            (info(131_072, "", "https://ollama.com:443"), Some(4_096), 4_096),
            (info(0, "", ""), None, 8_192),
            (info(1, "", ""), None, MIN_CONTEXT),
            (ModelInfo::default(), None, 8_192),
            (ModelInfo::of(&json!([])), Some(4_096), 4_096),
        ] {
            assert_eq!(info.context(configured, 8_192), context, "{info:?} {configured:?}");
        }
    }

    #[test]
    fn models_that_only_embed_cannot_chat() {
        for (capabilities, can_chat) in [
            (json!(["completion", "vision"]), true),
            (json!(["embedding"]), false),
            (json!([]), false),
            (json!(null), true),
        ] {
            let info = ModelInfo::of(&json!({"capabilities": capabilities}));
            assert_eq!(info.can_chat, can_chat, "{capabilities}");
        }
    }
}
