use leptos::prelude::*;

use super::{Glyph, Icon};

/// What goes back into the inputs of a form that has failed without scripts: names and texts.
#[derive(Debug, Clone, Default)]
pub struct Kept(pub Vec<(String, String)>);

impl Kept {
    fn value(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(kept, _)| kept == name).map(|(_, value)| value.clone())
    }
}

/// One line of input with its label, its hint, and what is wrong with it.
#[component]
pub fn Field(
    /// The name in the form.
    name: &'static str,
    /// The id, where another field of the page has this name.
    #[prop(optional)]
    id: Option<&'static str>,
    /// What the person reads.
    label: &'static str,
    /// The `type` of the input.
    #[prop(default = "text")]
    kind: &'static str,
    /// The `autocomplete` token.
    autocomplete: &'static str,
    /// What stands in it at first.
    #[prop(optional)]
    value: Option<String>,
    /// Whether it cannot be changed.
    #[prop(optional)]
    readonly: bool,
    /// The `inputmode`: which keys a phone shows.
    #[prop(optional)]
    keys: Option<&'static str>,
    /// What is wrong with the value, in a sentence.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// The id of a text that helps with this field.
    #[prop(optional)]
    described_by: Option<&'static str>,
    /// What stands under the field.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    // In the browser nothing is kept, and what the server has written into the page stays.
    let kept = use_context::<Kept>().filter(|_| kind != "password" && !readonly);
    let value = kept.and_then(|kept| kept.value(name)).or(value);
    let id = id.unwrap_or(name);
    let error_id = format!("{id}-error");
    let description = {
        let error_id = error_id.clone();
        move || match (error.get().is_some(), described_by) {
            (true, Some(hint)) => Some(format!("{error_id} {hint}")),
            (true, None) => Some(error_id.clone()),
            (false, hint) => hint.map(str::to_owned),
        }
    };
    view! {
        <div>
            <label class="label" for=id>
                {label}
            </label>
            <input
                class="input"
                id=id
                name=name
                type=kind
                autocomplete=autocomplete
                value=value
                readonly=readonly
                inputmode=keys
                required
                // Without scripts the browser itself moves to the field that is wrong.
                autofocus=error.get_untracked().is_some()
                spellcheck="false"
                autocapitalize=if kind == "text" { "words" } else { "none" }
                aria-invalid=move || error.get().map(|_| "true")
                aria-describedby=description
            />
            {move || {
                error
                    .get()
                    .map(|sentence| {
                        view! {
                            <p class="hint hint-danger" id=error_id.clone()>
                                <Icon glyph=Glyph::CircleAlert />
                                <span>{sentence}</span>
                            </p>
                        }
                    })
            }}
            {children.map(|children| children())}
        </div>
    }
    .into_any()
}
