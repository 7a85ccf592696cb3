use leptos::prelude::*;

use super::{Glyph, Icon};

/// The submitted values (name, value) of a form that failed without scripts; they are filled in again.
#[derive(Debug, Clone, Default)]
pub struct SubmittedValues(pub Vec<(String, String)>);

impl SubmittedValues {
    fn value(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(submitted, _)| submitted == name).map(|(_, value)| value.clone())
    }
}

/// A single-line input with its label, hint and error.
#[component]
pub fn Field(
    /// The name in the form.
    name: &'static str,
    /// The id, if another field of the page has the same name; otherwise the name is the id.
    #[prop(optional)]
    id: Option<&'static str>,
    /// The visible label.
    label: &'static str,
    /// The `type` of the input.
    #[prop(default = "text")]
    kind: &'static str,
    /// The `autocomplete` token.
    autocomplete: &'static str,
    /// The initial value.
    #[prop(optional)]
    value: Option<String>,
    /// Whether it is read-only.
    #[prop(optional)]
    readonly: bool,
    /// The `inputmode`, which selects the on-screen keyboard.
    #[prop(optional)]
    inputmode: Option<&'static str>,
    /// The error message for the submitted value. It is not shown any more once the value is edited.
    #[prop(into)]
    error: Signal<Option<String>>,
    /// Whether the value was edited since the error came.
    #[prop(default = RwSignal::new(false))]
    edited: RwSignal<bool>,
    /// The id of a hint for this field.
    #[prop(optional)]
    described_by: Option<&'static str>,
    /// The content below the field.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    // Only the server has submitted values. On hydration the value that it rendered stays.
    let submitted = use_context::<SubmittedValues>().filter(|_| kind != "password" && !readonly);
    let value = submitted.and_then(|submitted| submitted.value(name)).or(value);
    let id = id.unwrap_or(name);
    Effect::watch(move || error.track(), move |(), _, _| edited.set(false), false);
    let error = Signal::derive(move || error.get().filter(|_| !edited.get()));
    let error_id = format!("{id}-error");
    let description = {
        let error_id = error_id.clone();
        move || match (error.get().is_some(), described_by) {
            (true, Some(hint)) => Some(format!("{error_id} {hint}")),
            (true, None) => Some(error_id.clone()),
            (false, hint) => hint.map(str::to_owned),
        }
    };
    let (is_password, shown) = (kind == "password", RwSignal::new(false));
    view! {
        <div>
            <label class="label" for=id>
                {label}
            </label>
            <div class:password-field=is_password>
            <input
                class="input"
                id=id
                name=name
                type=move || if shown.get() { "text" } else { kind }
                autocomplete=autocomplete
                value=value
                readonly=readonly
                inputmode=inputmode
                required
                // Without scripts the browser focuses the invalid field.
                autofocus=error.get_untracked().is_some()
                spellcheck="false"
                autocapitalize=if kind == "text" { "words" } else { "none" }
                aria-invalid=move || error.get().map(|_| "true")
                aria-describedby=description
                on:input=move |_| edited.set(true)
            />
            {is_password.then(|| show_password(shown))}
            </div>
            // `app/listeners.js` writes the text.
            {is_password
                .then(|| view! { <p class="hint caps-lock" aria-live="polite" data-caps=t!("common.caps_lock")></p> })}
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

/// The button that shows what is typed into a password field.
fn show_password(shown: RwSignal<bool>) -> impl IntoView {
    view! {
        <button
            class="password-eye js-only"
            type="button"
            aria-label=t!("common.show_password")
            title=t!("common.show_password")
            aria-pressed=move || if shown.get() { "true" } else { "false" }
            // The field keeps the focus and the caret.
            on:mousedown=move |event| event.prevent_default()
            on:click=move |_| shown.update(|shown| *shown = !*shown)
        >
            <Icon glyph=Glyph::Eye />
        </button>
    }
}
