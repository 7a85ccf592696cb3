use leptos::prelude::*;

use crate::domain::{Appearance, CHANGE_APPEARANCE, Theme};

/// How the page looks in this browser: on the server as its cookie says, in the browser as the document says, which the
/// server wrote.
pub fn document_appearance() -> Appearance {
    #[cfg(feature = "ssr")]
    {
        use_context().unwrap_or_default()
    }
    #[cfg(not(feature = "ssr"))]
    {
        let root = document().document_element();
        let words = ["data-theme", "data-text", "data-enter"]
            .map(|name| root.as_ref().and_then(|root| root.get_attribute(name)).unwrap_or_default());
        Appearance::default().with(words.iter().map(String::as_str))
    }
}

/// A choice about the appearance, as adjoining radio buttons. `src/app/listeners.js` applies it at once; without scripts the
/// form has a button.
#[component]
pub fn AppearanceChoice(
    /// The name of the field.
    name: &'static str,
    /// The accessible name of the group.
    label: &'static str,
    /// The values and their labels.
    options: Vec<(&'static str, &'static str)>,
    /// The value that is chosen now.
    chosen: &'static str,
) -> impl IntoView {
    let options = options.into_iter().map(|(value, text)| {
        view! {
            <label class="segment">
                <input type="radio" name=name value=value checked=value == chosen />
                <span>{text}</span>
            </label>
        }
    });
    view! {
        <form class="appearance" method="post" action=CHANGE_APPEARANCE autocomplete="off">
            <div class="segments" role="radiogroup" aria-label=label>
                {options.collect_view()}
            </div>
            <button class="btn btn-line btn-small nojs-only" type="submit">
                {t!("common.save")}
            </button>
        </form>
    }
    .into_any()
}

/// Chooses the colours: those of the system, light or dark.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let options = vec![
        (Theme::System.word(), t!("chat.theme.system")),
        (Theme::Light.word(), t!("chat.theme.light")),
        (Theme::Dark.word(), t!("chat.theme.dark")),
    ];
    let chosen = document_appearance().theme.word();
    view! { <AppearanceChoice name="theme" label=t!("chat.theme.label") options chosen /> }.into_any()
}
