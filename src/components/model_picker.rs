use leptos::prelude::*;

use crate::domain::{ModelChoice, ModelOption};

/// The model select in the footer of the composer, grouped by provider.
#[component]
pub fn ModelPicker(
    /// The available models.
    models: ModelChoice,
    /// The id of the selected model.
    #[prop(into)]
    model: Signal<String>,
    /// Called with the id of the chosen model.
    on_choose: Callback<String>,
) -> impl IntoView {
    if models.models.is_empty() {
        return view! { <p class="px-2 text-label text-ink-faint">{t!("chat.model.none")}</p> }.into_any();
    }
    let chosen = model.get_untracked();
    let groups = group_by_provider(models.models)
        .into_iter()
        .map(|(provider, models)| view! { <optgroup label=provider>{model_options(models, &chosen)}</optgroup> })
        .collect_view();
    view! {
        <select
            class="select min-w-0 truncate"
            name="model"
            aria-label=t!("chat.model.label")
            prop:value=model
            on:change=move |event| on_choose.run(event_target_value(&event))
        >
            {groups}
        </select>
    }
    .into_any()
}

fn model_options(models: Vec<ModelOption>, chosen: &str) -> impl IntoView {
    models
        .into_iter()
        .map(|model| view! { <option value=model.id.clone() selected=model.id == chosen>{model.label}</option> })
        .collect_view()
}

fn group_by_provider(models: Vec<ModelOption>) -> Vec<(String, Vec<ModelOption>)> {
    let mut groups: Vec<(String, Vec<ModelOption>)> = Vec::new();
    for model in models {
        match groups.iter_mut().find(|(name, _)| name == model.group()) {
            Some((_, group)) => group.push(model),
            None => groups.push((model.group().to_owned(), vec![model])),
        }
    }
    groups
}
