//! The catalogue of available models, and how to look one up.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    domain::{ConnectedModels, ConnectedProvider, Failure, ModelChoice, ModelOption},
    server::{
        config::{Config, PROVIDER_CONTEXT, ProviderConfig, ProviderKind},
        egress::Egress,
    },
};

use super::{
    Model, ModelError, anthropic, gemini, is_valid_model_name,
    local::{FileKind, LocalModel, ModelFile, ModelFolder, Settings},
    model_list_cache::{ModelListCache, ModelListTimings},
    ollama, openai,
    remote::{Interface, Limits, ModelList},
};

/// The provider part of the ids of local models.
const LOCAL: &str = "local";
/// The provider name that users see for local models.
const LOCAL_LABEL: &str = "On this server";
/// The file stem and the display name of the small model that ships with Colloquy.
const BUNDLED: (&str, &str) = ("SmolLM2-135M-Instruct.Q4_1", "SmolLM2 135M");

/// All models of all providers. Cheap to clone.
#[derive(Clone)]
pub struct Models(Arc<Inner>);

struct Inner {
    providers: Vec<Provider>,
    folder: Arc<ModelFolder>,
    settings: Settings,
    /// The local models that have been requested. Each keeps its own process.
    local: Mutex<HashMap<String, Arc<LocalModel>>>,
    default: Option<String>,
}

/// A configured provider.
struct Provider {
    name: String,
    base_url: String,
    interface: Arc<dyn Interface>,
    /// The models that the operator configured. Empty if all models of the provider are offered.
    configured_models: Vec<String>,
    /// The context window of its models in tokens, if the operator configured one.
    context: Option<u32>,
    model_list: ModelListCache,
}

impl Models {
    /// Creates the catalogue from the configuration. Does no I/O yet.
    pub fn new(config: &Config, egress: &Egress) -> Self {
        Self::with_timings(config, egress, ModelListTimings::default())
    }

    /// Like [`Models::new`], with other timings for the cached model lists.
    pub fn with_timings(config: &Config, egress: &Egress, timings: ModelListTimings) -> Self {
        let provider = |provider: &ProviderConfig| Provider::new(provider, egress.clone(), timings);
        let providers = config.providers.iter().map(provider).collect();
        let current_exe = || std::env::current_exe().unwrap_or_else(|_| PathBuf::from("colloquy"));
        let mut settings = Settings::new(config.local.program.clone().unwrap_or_else(current_exe));
        settings.threads = config.local.threads;
        settings.context = config.local.context;
        settings.idle_timeout = Duration::from_secs(config.local.idle_minutes.saturating_mul(60));
        Self(Arc::new(Inner {
            providers,
            folder: Arc::new(ModelFolder::new(&config.local.models)),
            settings,
            local: Mutex::default(),
            default: config.default_model.clone(),
        }))
    }

    /// The models for the model picker: those of the providers in configuration order, then the local ones. A provider
    /// that does not respond is omitted until it responds again. Takes at most three seconds.
    pub async fn list(&self) -> ModelChoice {
        let inner = &*self.0;
        let listed = futures::future::join_all(inner.providers.iter().map(Provider::list));
        let (listed, mut local) = tokio::join!(listed, inner.list_local());
        let mut models: Vec<ModelOption> = listed.into_iter().flatten().collect();
        let configured_default =
            inner.default.as_ref().filter(|id| models.iter().chain(&local).any(|model| model.id == **id));
        let bundled = local.iter().find(|model| model.bundled);
        let default =
            configured_default.or_else(|| models.first().or(bundled).or(local.first()).map(|model| &model.id)).cloned();
        models.append(&mut local);
        ModelChoice { models, default }
    }

    /// What is connected: the providers of the configuration, each of which is asked now, and the local models. Takes at
    /// most five seconds.
    pub async fn connected(&self, config: &Config) -> ConnectedModels {
        let providers = futures::future::join_all(self.0.providers.iter().map(Provider::connection));
        let (providers, local) = tokio::join!(providers, self.0.list_local());
        ConnectedModels {
            providers,
            local: local.into_iter().map(|model| model.label).collect(),
            folder: config.local.models.display().to_string(),
        }
    }

    /// Whether the id is that of a model on this machine.
    pub fn is_local(id: &str) -> bool {
        id.split_once('/').is_some_and(|(provider, _)| provider == LOCAL)
    }

    /// The model with this id (`provider/name`) and its display name. A provider's model is found even if the provider
    /// does not respond right now.
    pub async fn find(&self, id: &str) -> Option<(Arc<dyn Model>, String)> {
        let (provider, name) = id.split_once('/')?;
        if provider == LOCAL {
            return self.0.find_local(name).await;
        }
        let provider = self.0.providers.iter().find(|known| known.name == provider)?;
        if !provider.has_model(name) {
            return None;
        }
        Some((Arc::clone(&provider.interface).model(name.to_owned()), name.to_owned()))
    }

    /// Requests the model list of every provider, bypassing the cache.
    pub async fn check_providers(&self) -> Vec<ProviderCheck> {
        futures::future::join_all(self.0.providers.iter().map(Provider::check)).await
    }

    /// The model files on this machine and what they contain.
    pub async fn local_files(&self) -> Vec<ModelFile> {
        Arc::clone(&self.0.folder).files().await
    }
}

/// The result of checking a provider.
#[derive(Debug)]
pub struct ProviderCheck {
    /// The provider's name.
    pub name: String,
    /// The provider's base URL.
    pub base_url: String,
    /// The address of its model list.
    pub list_url: String,
    /// The models that the operator configured. Empty if all models of the provider are offered.
    pub configured_models: Vec<String>,
    /// The provider's model list, or the error.
    pub models: Result<ModelList, ModelError>,
    /// Whether the list exists under `/v1` but not at the base URL itself.
    pub list_is_under_v1: bool,
    /// Whether the provider accepts chat requests although it has no model list.
    pub accepts_chat_requests: bool,
}

impl Provider {
    fn new(config: &ProviderConfig, egress: Egress, timings: ModelListTimings) -> Self {
        Self {
            name: config.name.clone(),
            base_url: config.base_url.clone(),
            interface: interface(config, egress),
            configured_models: config.models.clone(),
            // That of the default is only a cautious assumption, not what the models can do.
            context: config.context.filter(|context| !is_assumed(config.kind, *context)),
            model_list: ModelListCache::new(&config.name, timings),
        }
    }

    async fn check(&self) -> ProviderCheck {
        const TIMEOUT: Duration = Duration::from_secs(10);
        let models = self.interface.list_models(TIMEOUT).await;
        let list_is_under_v1 = models.is_err() && self.interface.list_is_under_v1(TIMEOUT).await;
        // True for any response except an authentication error.
        let is_reachable = models.as_ref().is_err_and(|fault| {
            !matches!(fault.failure, Failure::Unreachable | Failure::Refused | Failure::TimedOut | Failure::Cut)
        });
        let accepts_chat_requests =
            is_reachable && !list_is_under_v1 && self.interface.accepts_chat_requests(TIMEOUT).await;
        ProviderCheck {
            name: self.name.clone(),
            base_url: self.base_url.clone(),
            list_url: self.interface.list_url(),
            configured_models: self.configured_models.clone(),
            models,
            list_is_under_v1,
            accepts_chat_requests,
        }
    }

    async fn connection(&self) -> ConnectedProvider {
        const TIMEOUT: Duration = Duration::from_secs(5);
        let listed = self.interface.list_models(TIMEOUT).await;
        let failure = listed.as_ref().err().map(|error| error.failure);
        // Some providers have no list, but answer.
        let is_away = |failure: &Failure| {
            matches!(failure, Failure::Unreachable | Failure::Refused | Failure::TimedOut | Failure::Cut)
        };
        let failure = failure.filter(|failure| self.configured_models.is_empty() || is_away(failure));
        let models = match listed {
            Ok(list) if self.configured_models.is_empty() => list.names,
            _ => self.configured_models.clone(),
        };
        ConnectedProvider { name: self.name.clone(), address: self.base_url.clone(), models, failure }
    }

    fn has_model(&self, name: &str) -> bool {
        if self.configured_models.is_empty() {
            is_valid_model_name(name)
        } else {
            self.configured_models.iter().any(|model| model == name)
        }
    }

    async fn list(&self) -> Vec<ModelOption> {
        let list = match self.configured_models.is_empty() {
            true => self.model_list.get(&self.interface).await,
            false => Arc::default(),
        };
        let names = if self.configured_models.is_empty() { &list.names } else { &self.configured_models };
        let mut seen = HashSet::new();
        let is_usable =
            |name: &&String| is_valid_model_name(name) && (!self.configured_models.is_empty() || is_chat_model(name));
        let usable = names.iter().filter(is_usable).filter(|name| seen.insert(name.as_str()));
        usable
            .map(|name| ModelOption {
                id: format!("{}/{name}", self.name),
                label: name.clone(),
                provider: self.name.clone(),
                context: list.context_of(name).or(self.context).map(context_size).unwrap_or_default(),
                local: false,
                bundled: false,
            })
            .collect()
    }
}

/// Whether this context window is the one that is assumed for the interface if none is configured.
fn is_assumed(kind: ProviderKind, context: u32) -> bool {
    kind == ProviderKind::OpenAi && context == PROVIDER_CONTEXT
}

/// The interface of a configured provider.
fn interface(config: &ProviderConfig, egress: Egress) -> Arc<dyn Interface> {
    let (url, key, context, limits) = (&config.base_url, config.key.clone(), config.context, Limits::default());
    match config.kind {
        ProviderKind::OpenAi => {
            let endpoint = openai::Endpoint::new(egress, url, key, context.unwrap_or(PROVIDER_CONTEXT), limits);
            Arc::new(if config.system_role { endpoint } else { endpoint.without_system_role() })
        }
        ProviderKind::Anthropic => Arc::new(anthropic::Endpoint::new(egress, url, key, context, limits)),
        ProviderKind::Gemini => Arc::new(gemini::Endpoint::new(egress, url, key, context, limits)),
        ProviderKind::Ollama => Arc::new(ollama::Endpoint::new(egress, url, key, context, limits)),
    }
}

impl Inner {
    /// The local models, sorted by name, the bundled one last. The folder is scanned on each call, so that a newly
    /// added file appears.
    async fn list_local(&self) -> Vec<ModelOption> {
        let files = Arc::clone(&self.folder).files().await;
        let option = |file: ModelFile| {
            let context = file.trained_context.map(|trained| context_size(self.settings.context_of(trained)));
            ModelOption { context: context.unwrap_or_default(), ..local_option(&file.stem) }
        };
        let mut models: Vec<ModelOption> =
            files.into_iter().filter(|file| file.kind == FileKind::Chat).map(option).collect();
        models.sort_by_cached_key(|model| (model.bundled, model.label.to_lowercase()));
        models
    }

    /// Broken files are found too, so that a request for one fails with an error about the file.
    async fn find_local(&self, name: &str) -> Option<(Arc<dyn Model>, String)> {
        // Compares stems and never joins paths, so that a name cannot escape the folder.
        let files = Arc::clone(&self.folder).files().await;
        let file = files.into_iter().find(|file| file.stem == name && !matches!(file.kind, FileKind::Other(_)))?;
        let label = local_option(&file.stem).label;
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        let model =
            local.entry(file.stem).or_insert_with(|| Arc::new(LocalModel::new(&file.path, self.settings.clone())));
        Some((Arc::clone(model) as Arc<dyn Model>, label))
    }
}

fn local_option(stem: &str) -> ModelOption {
    let bundled = stem == BUNDLED.0;
    ModelOption {
        id: format!("{LOCAL}/{stem}"),
        label: if bundled { BUNDLED.1 } else { stem }.to_owned(),
        provider: LOCAL_LABEL.to_owned(),
        context: String::new(),
        local: true,
        bundled,
    }
}

/// A number of tokens, rounded: `8K`, `200K`, `1M`.
fn context_size(tokens: u32) -> String {
    // What is not round in decimals is a power of two.
    let thousand = if tokens.is_multiple_of(1_000) { 1_000 } else { 1_024 };
    match tokens / thousand {
        0 => tokens.to_string(),
        thousands if thousands.is_multiple_of(thousand) => format!("{}M", thousands / thousand),
        thousands => format!("{thousands}K"),
    }
}

/// Whether the name looks like that of a chat model. Model lists also contain embedding, speech and image models.
fn is_chat_model(name: &str) -> bool {
    const NON_CHAT_NAMES: [&str; 7] = ["embed", "whisper", "tts-", "dall-e", "moderation", "rerank", "bge-"];
    let name = name.to_ascii_lowercase();
    !NON_CHAT_NAMES.iter().any(|other| name.contains(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_context_windows_are_short() {
        for (tokens, size) in [
            (512, "512"),
            (2_048, "2K"),
            (8_192, "8K"),
            (128_000, "128K"),
            (131_072, "128K"),
            (200_000, "200K"),
            (1_048_576, "1M"),
            (1_000_000, "1M"),
        ] {
            assert_eq!(context_size(tokens), size);
        }
    }

    #[test]
    fn models_that_cannot_chat_are_recognised_by_name() {
        assert!(["gpt-4o", "qwen3:8b", "meta-llama/Llama-3.1"].iter().all(|name| is_chat_model(name)));
        assert!(
            !["text-embedding-3-small", "nomic-embed-text:latest", "whisper-1", "dall-e-3"]
                .iter()
                .any(|name| is_chat_model(name))
        );
    }
}
