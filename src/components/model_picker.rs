use leptos::{html::Div, prelude::*, wasm_bindgen::JsCast, web_sys};

use super::{Glyph, Icon, browser};
use crate::domain::{ModelChoice, ModelOption};

/// The id of the list of models.
const LIST_ID: &str = "models";
/// From this number of models on, the list has a search field.
const SEARCHABLE_MODELS: usize = 8;

/// The models of one provider, and the provider's name.
type Group = (String, Vec<ModelOption>);

/// The model picker in the foot of the composer: a button with the selected model, which opens a list of the models
/// grouped by provider. Without scripts it is a select.
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
    let is_searchable = models.models.len() >= SEARCHABLE_MODELS;
    let groups = StoredValue::new(group_by_provider(models.models));
    let popover = NodeRef::<Div>::new();
    // The list is only rendered while it is open: there may be hundreds of models.
    let is_open = RwSignal::new(false);
    let read_state = move || {
        let open = popover.get().filter(|popover| popover.matches(":popover-open").unwrap_or(false));
        is_open.set(open.is_some());
        open
    };
    // It may have been opened before the scripts ran.
    Effect::new(move || {
        read_state();
    });
    let on_toggle = move |_: web_sys::Event| {
        if let Some(open) = untrack(read_state) {
            browser::focus_first_option(&open);
        }
    };
    view! {
        <select class="select nojs-only" name="model" aria-label=t!("chat.model.label")>
            {groups.with_value(|groups| select_options(groups, &model.get_untracked()))}
        </select>
        <button
            class="model-button js-only"
            type="button"
            popovertarget=LIST_ID
            aria-haspopup="listbox"
        >
            <span class="sr-only">{t!("chat.model.label")}</span>
            <span class="truncate">{move || groups.with_value(|groups| label(groups, &model.get()))}</span>
            <Icon glyph=Glyph::ChevronDown />
        </button>
        <div
            class="models"
            id=LIST_ID
            popover="auto"
            node_ref=popover
            // Rendered before the browser shows it and moves the focus into it.
            on:beforetoggle=move |_: web_sys::Event| is_open.set(true)
            on:toggle=on_toggle
            on:keydown=move |event| on_key(&event, popover)
            on:click=move |event| {
                if let Some(id) = clicked_option(&event) {
                    on_choose.run(id);
                    hide(popover);
                }
            }
        >
            <Show when=move || is_open.get()>
                {is_searchable.then(|| search_field(popover))}
                {groups.with_value(|groups| model_list(groups, &model.get_untracked(), is_searchable))}
            </Show>
        </div>
    }
    .into_any()
}

/// The display name of a model; its id if it is not available any more.
fn label(groups: &[Group], id: &str) -> String {
    let model = groups.iter().flat_map(|(_, models)| models).find(|model| model.id == id);
    model.map_or(id, |model| &model.label).to_owned()
}

fn select_options(groups: &[Group], chosen: &str) -> AnyView {
    let option = |model: &ModelOption| {
        view! { <option value=model.id.clone() selected=model.id == chosen>{model.label.clone()}</option> }
    };
    let group = |(provider, models): &Group| {
        view! { <optgroup label=provider.clone()>{models.iter().map(option).collect_view()}</optgroup> }
    };
    groups.iter().map(group).collect_view().into_any()
}

fn search_field(popover: NodeRef<Div>) -> AnyView {
    view! {
        <input
            class="models-search"
            type="search"
            autocomplete="off"
            spellcheck="false"
            placeholder=t!("chat.model.search")
            aria-label=t!("chat.model.search")
            // An on-screen keyboard would cover the list.
            autofocus=!browser::is_touch()
            on:input=move |event| {
                if let Some(popover) = popover.get_untracked() {
                    browser::filter_options(&popover, &event_target_value(&event));
                }
            }
        />
    }
    .into_any()
}

fn model_list(groups: &[Group], chosen: &str, is_searchable: bool) -> AnyView {
    let option = |model: &ModelOption| {
        let is_chosen = model.id == chosen;
        view! {
            <button
                class="model-option"
                type="button"
                role="option"
                tabindex=if is_chosen { "0" } else { "-1" }
                value=model.id.clone()
                aria-selected=if is_chosen { "true" } else { "false" }
                autofocus=is_chosen && (!is_searchable || browser::is_touch())
            >
                <span class="truncate">{model.label.clone()}</span>
                <span class="model-detail">{detail(model)}</span>
                {is_chosen.then(|| view! { <Icon glyph=Glyph::Check /> })}
            </button>
        }
        .into_any()
    };
    let group = |(provider, models): &Group| {
        view! {
            <div role="group" aria-label=provider.clone()>
                <p class="models-heading" aria-hidden="true">
                    {provider.clone()}
                </p>
                {models.iter().map(option).collect_view()}
            </div>
        }
        .into_any()
    };
    view! {
        <div class="models-list" role="listbox" aria-label=t!("chat.model.label")>
            {groups.iter().map(group).collect_view()}
        </div>
        <p class="models-none">{t!("chat.model.no_match")}</p>
    }
    .into_any()
}

/// The second line of a model: where it runs, and how much it can read.
fn detail(model: &ModelOption) -> String {
    let mut detail = model.group().to_owned();
    if !model.context.is_empty() {
        detail.push_str(" · ");
        detail.push_str(&t!("chat.model.context", size = model.context));
    }
    detail
}

/// The arrow keys move the focus. Enter in the search field chooses the first model that is found. Tab leaves the list.
/// The browser handles Escape, and Enter on a model.
fn on_key(event: &web_sys::KeyboardEvent, popover: NodeRef<Div>) {
    let Some(list) = popover.get_untracked() else { return };
    match event.key().as_str() {
        "ArrowDown" => browser::focus_next_option(&list, true),
        "ArrowUp" => browser::focus_next_option(&list, false),
        "Enter" if list.query_selector("input:focus").is_ok_and(|input| input.is_some()) => {
            if !event.is_composing() {
                browser::click_first_option(&list);
            }
        }
        "Tab" => return hide(popover),
        _ => return,
    }
    event.prevent_default();
}

/// The id of the model that was clicked; `None` for a click beside the models.
fn clicked_option(event: &web_sys::MouseEvent) -> Option<String> {
    let target = event.target()?.dyn_into::<web_sys::Element>().ok()?;
    target.closest("[role=option]").ok()??.get_attribute("value")
}

/// Closes the list. The focus returns to the button.
fn hide(popover: NodeRef<Div>) {
    if let Some(popover) = popover.get_untracked() {
        // Fails only if it is closed already.
        let _ = popover.hide_popover();
    }
}

fn group_by_provider(models: Vec<ModelOption>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for model in models {
        match groups.iter_mut().find(|(name, _)| name == model.group()) {
            Some((_, group)) => group.push(model),
            None => groups.push((model.group().to_owned(), vec![model])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str, local: bool, context: &str) -> ModelOption {
        let (provider, label) = id.split_once('/').expect("a provider");
        ModelOption {
            id: id.to_owned(),
            label: label.to_owned(),
            provider: provider.to_owned(),
            context: context.to_owned(),
            local,
            bundled: false,
        }
    }

    #[test]
    fn a_model_says_where_it_runs_and_how_much_it_reads() {
        assert_eq!(detail(&model("local/small", true, "8K")), "On this server · 8K context");
        assert_eq!(detail(&model("ollama/large", false, "")), "ollama");
    }

    #[test]
    fn models_are_grouped_by_provider_in_their_order() {
        let models =
            [model("a/1", false, ""), model("b/2", false, ""), model("a/3", false, ""), model("c/4", true, "")];
        let groups = group_by_provider(models.to_vec());
        let names: Vec<_> = groups.iter().map(|(name, models)| (name.as_str(), models.len())).collect();
        assert_eq!(names, [("a", 2), ("b", 1), ("On this server", 1)]);
        assert_eq!(label(&groups, "a/3"), "3");
        assert_eq!(label(&groups, "a/gone"), "a/gone");
    }
}
