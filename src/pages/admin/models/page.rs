use leptos::prelude::*;

use super::snippet::Snippet;
use crate::{
    domain::ConnectedModels,
    pages::{
        shell::{Loaded, Page, page_resource},
        toolkit::Section,
    },
    server_fns::models::connected_models,
};

/// Lines for the configuration file that connect Ollama.
pub const OLLAMA: &str = "[[providers]]\nname = \"ollama\"\nkind = \"ollama\"\nbase_url = \"http://127.0.0.1:11434\"";
/// Lines for the configuration file that connect a provider with an interface of its own.
pub const NATIVE: &str = "[[providers]]\nname = \"hosted\"\nkind = \"anthropic\"";
/// Lines for the configuration file that connect a hosted provider.
pub const HOSTED: &str = "[[providers]]\nname = \"hosted\"\nbase_url = \"https://api.example.com/v1\"\nmodels = [\"large\", \"small\"]\ncontext = 32768";
/// The variable with the key of the hosted provider.
const HOSTED_KEY: &str = "COLLOQUY_PROVIDERS__HOSTED__KEY=\"…\"";

/// The models that are connected, and how to connect more.
#[component]
pub fn ModelsPage() -> impl IntoView {
    let models = page_resource(|| (), |()| connected_models());
    view! {
        <Page title=t!("admin.models.title")>
            <Loaded data=models view=move |models| view! { <Content models /> }.into_any() />
        </Page>
    }
}

#[component]
fn Content(models: ConnectedModels) -> impl IntoView {
    let ConnectedModels { providers, local, folder } = models;
    let row = |name: String, about: String, state: String, failed: bool| {
        view! {
            <li class="setting">
                <p class="min-w-0">
                    <span class="font-medium">{name}</span>
                    <span class="setting-about break-words">{about}</span>
                </p>
                <p class="text-label" class:text-ink-soft=!failed class:text-danger=failed>{state}</p>
            </li>
        }
        .into_any()
    };
    let count = |names: &[String]| match names.len() {
        0 => t!("admin.models.none_listed").to_owned(),
        count => t!("admin.models.count", count = count),
    };
    let local_count = count(&local);
    let mut rows: Vec<AnyView> = providers
        .into_iter()
        .map(|provider| {
            let state = provider.failure.map_or_else(|| count(&provider.models), |failure| failure.text().to_owned());
            row(provider.name, provider.address, state, provider.failure.is_some())
        })
        .collect();
    rows.push(row(t!("chat.model.on_this_machine").to_owned(), local.join(", "), local_count, false));
    view! {
        <h1 class="text-title font-semibold max-lg:sr-only">{t!("admin.models.title")}</h1>
        <p class="mt-1 mb-5 text-ink-soft">{t!("admin.models.intro")}</p>
        <Section id="connected" title=t!("admin.models.connected") sentence=t!("admin.models.connected_about")>
            <ul>{rows}</ul>
            // A full page load, which asks the providers again.
            <a class="btn btn-line mt-4" href="/models" rel="external">
                {t!("admin.models.check")}
            </a>
        </Section>
        <Section id="ollama" title=t!("admin.models.ollama") sentence=t!("admin.models.ollama_about")>
            <Snippet text=OLLAMA.to_owned() />
        </Section>
        <Section id="hosted" title=t!("admin.models.hosted") sentence=t!("admin.models.hosted_about")>
            <Snippet text=HOSTED.to_owned() />
            <p class="mt-4 mb-2 text-label text-ink-soft">{t!("admin.models.native_about")}</p>
            <Snippet text=NATIVE.to_owned() />
            <p class="mt-4 mb-2 text-label text-ink-soft">{t!("admin.models.key_about")}</p>
            <Snippet text=HOSTED_KEY.to_owned() />
        </Section>
        <Section id="file" title=t!("admin.models.file") sentence=t!("admin.models.file_about")>
            <Snippet text=folder />
        </Section>
        <p class="hint pb-8">{t!("admin.models.restart")}</p>
    }
    .into_any()
}
