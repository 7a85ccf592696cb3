//! Which models there are, and how to get at one.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    domain::{Failure, ModelChoice, ModelOption},
    server::{
        config::{Config, ProviderConfig},
        egress::Egress,
    },
};

use super::{
    Model, ModelError, is_name,
    local::{Folder, Kind, LocalModel, ModelFile, Settings},
    offers::{Offers, Times},
    openai::{Endpoint, Limits, Listed, OpenAi},
};

/// The provider's name in ids of models on this machine.
const LOCAL: &str = "local";
/// The same, for people.
const LOCAL_LABEL: &str = "On this machine";
/// The file of the small model that comes with Colloquy, without its ending, and its name for people.
const BUNDLED: (&str, &str) = ("SmolLM2-135M-Instruct.Q4_1", "SmolLM2 135M");

/// All models of all providers. Cheap to clone.
#[derive(Clone)]
pub struct Models(Arc<Inner>);

struct Inner {
    providers: Vec<Provider>,
    folder: Arc<Folder>,
    settings: Settings,
    /// The local models that were asked for; each keeps its process.
    local: Mutex<HashMap<String, Arc<LocalModel>>>,
    default: Option<String>,
}

/// A configured endpoint.
struct Provider {
    name: String,
    base_url: String,
    endpoint: Arc<Endpoint>,
    /// The models that the operator chose to offer; empty for all.
    chosen: Vec<String>,
    offers: Offers,
}

impl Models {
    /// The models of a configuration. Reads and asks nothing yet.
    pub fn new(config: &Config, egress: &Egress) -> Self {
        Self::with_times(config, egress, Times::default())
    }

    /// The same, where lists of models last for other times than usual.
    pub fn with_times(config: &Config, egress: &Egress, times: Times) -> Self {
        let provider = |provider: &ProviderConfig| Provider::new(provider, egress.clone(), times);
        let providers = config.providers.iter().map(provider).collect();
        let own = || std::env::current_exe().unwrap_or_else(|_| PathBuf::from("colloquy"));
        let mut settings = Settings::new(config.local.program.clone().unwrap_or_else(own));
        settings.threads = config.local.threads;
        settings.context = config.local.context;
        settings.idle = Duration::from_secs(config.local.idle_minutes.saturating_mul(60));
        Self(Arc::new(Inner {
            providers,
            folder: Arc::new(Folder::new(&config.local.models)),
            settings,
            local: Mutex::default(),
            default: config.default_model.clone(),
        }))
    }

    /// What the picker shows: the providers' models in the order of the configuration, then those on this machine.
    /// Providers that do not answer are left out; their models come back with them. Takes three seconds at most.
    pub async fn list(&self) -> ModelChoice {
        let inner = &*self.0;
        let asked = futures::future::join_all(inner.providers.iter().map(Provider::list));
        let (asked, mut local) = tokio::join!(asked, inner.list_local());
        let mut models: Vec<ModelOption> = asked.into_iter().flatten().collect();
        let chosen = inner.default.as_ref().filter(|id| models.iter().chain(&local).any(|model| model.id == **id));
        let bundled = local.iter().find(|model| model.bundled);
        let default = chosen.or_else(|| models.first().or(bundled).or(local.first()).map(|model| &model.id)).cloned();
        models.append(&mut local);
        ModelChoice { models, default }
    }

    /// The model with this id (`provider/name`), and its name for people. A provider's model is found whether or not the
    /// provider answers now.
    pub async fn find(&self, id: &str) -> Option<(Arc<dyn Model>, String)> {
        let (provider, name) = id.split_once('/')?;
        if provider == LOCAL {
            return self.0.find_local(name).await;
        }
        let provider = self.0.providers.iter().find(|known| known.name == provider)?;
        if !provider.has(name) {
            return None;
        }
        Some((Arc::new(OpenAi::new(Arc::clone(&provider.endpoint), name.to_owned())), name.to_owned()))
    }

    /// Asks every provider for its models, whether or not it is known what it offers.
    pub async fn try_providers(&self) -> Vec<Tried> {
        futures::future::join_all(self.0.providers.iter().map(Provider::tried)).await
    }

    /// The files on this machine, with what they are.
    pub async fn local_files(&self) -> Vec<ModelFile> {
        Arc::clone(&self.0.folder).files().await
    }
}

/// What a provider answered to the question for its models.
#[derive(Debug)]
pub struct Tried {
    /// The provider.
    pub name: String,
    /// Its base address.
    pub base_url: String,
    /// The models that the operator chose to offer; empty for all.
    pub chosen: Vec<String>,
    /// Its list, or what went wrong.
    pub listed: Result<Listed, ModelError>,
    /// Whether there is a list under `/v1`, where there is none without it.
    pub answers_under_v1: bool,
    /// Whether it takes questions, although it has no list.
    pub takes_questions: bool,
}

impl Provider {
    fn new(config: &ProviderConfig, egress: Egress, times: Times) -> Self {
        let endpoint = Endpoint::new(egress, &config.base_url, config.key.clone(), config.context, Limits::default());
        let endpoint = if config.system_role { endpoint } else { endpoint.with_instructions_in_message() };
        Self {
            name: config.name.clone(),
            base_url: config.base_url.clone(),
            endpoint: Arc::new(endpoint),
            chosen: config.models.clone(),
            offers: Offers::new(&config.name, times),
        }
    }

    async fn tried(&self) -> Tried {
        const PATIENCE: Duration = Duration::from_secs(10);
        let listed = self.endpoint.models(PATIENCE).await;
        let answers_under_v1 = listed.is_err()
            && !self.base_url.ends_with("/v1")
            && self.endpoint.models_under("/v1", PATIENCE).await.is_ok();
        // Where there is an answer of any kind but one about the key.
        let is_there = listed.as_ref().is_err_and(|fault| {
            !matches!(fault.failure, Failure::Unreachable | Failure::Refused | Failure::TimedOut | Failure::Cut)
        });
        let takes_questions = is_there && !answers_under_v1 && self.endpoint.takes_questions(PATIENCE).await;
        let (name, base_url, chosen) = (self.name.clone(), self.base_url.clone(), self.chosen.clone());
        Tried { name, base_url, chosen, listed, answers_under_v1, takes_questions }
    }

    fn has(&self, name: &str) -> bool {
        if self.chosen.is_empty() { is_name(name) } else { self.chosen.iter().any(|chosen| chosen == name) }
    }

    async fn list(&self) -> Vec<ModelOption> {
        let names =
            if self.chosen.is_empty() { self.offers.of(&self.endpoint).await } else { self.chosen.as_slice().into() };
        let mut seen = HashSet::new();
        let is_usable = |name: &&String| is_name(name) && (!self.chosen.is_empty() || talks(name));
        let usable = names.iter().filter(is_usable).filter(|name| seen.insert(name.as_str()));
        usable
            .map(|name| ModelOption {
                id: format!("{}/{name}", self.name),
                label: name.clone(),
                provider: self.name.clone(),
                local: false,
                bundled: false,
            })
            .collect()
    }
}

impl Inner {
    /// The models on this machine by name, the bundled one last. The folder is read each time, so that a file that is
    /// dropped in appears.
    async fn list_local(&self) -> Vec<ModelOption> {
        let files = Arc::clone(&self.folder).files().await;
        let models = files.into_iter().filter(|file| file.kind == Kind::Chat).map(|file| local_option(&file.stem));
        let mut models: Vec<ModelOption> = models.collect();
        models.sort_by_cached_key(|model| (model.bundled, model.label.to_lowercase()));
        models
    }

    /// A broken file is found too, so that whoever asks it is told that the file is to blame.
    async fn find_local(&self, name: &str) -> Option<(Arc<dyn Model>, String)> {
        // Found by comparing, never by joining paths: a name cannot leave the folder.
        let files = Arc::clone(&self.folder).files().await;
        let file = files.into_iter().find(|file| file.stem == name && !matches!(file.kind, Kind::Other(_)))?;
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
        local: true,
        bundled,
    }
}

/// Whether a model of a provider's own list can hold a conversation, as far as its name tells: the lists also hold models
/// for embeddings, speech and pictures.
fn talks(name: &str) -> bool {
    const OTHERS: [&str; 7] = ["embed", "whisper", "tts-", "dall-e", "moderation", "rerank", "bge-"];
    let name = name.to_ascii_lowercase();
    !OTHERS.iter().any(|other| name.contains(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_do_not_talk_are_known_by_their_names() {
        assert!(["gpt-4o", "qwen3:8b", "meta-llama/Llama-3.1"].iter().all(|name| talks(name)));
        assert!(
            !["text-embedding-3-small", "nomic-embed-text:latest", "whisper-1", "dall-e-3"]
                .iter()
                .any(|name| talks(name))
        );
    }
}
