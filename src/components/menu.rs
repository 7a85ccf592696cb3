use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys};

use super::{Glyph, Icon};

/// A button with three dots that unfolds a list of actions. Works without scripts; with them it also closes
/// by Escape, by a click elsewhere, and after a choice.
#[component]
pub fn Menu(
    /// What the actions are for, for those who do not see it.
    #[prop(into)]
    label: String,
    /// Where the list opens, as classes.
    #[prop(default = "right-0 top-full")]
    place: &'static str,
    /// The button's content, which then is its name too; three dots unless given.
    #[prop(optional)]
    button: Option<AnyView>,
    /// The button's class.
    #[prop(default = "icon-btn")]
    button_class: &'static str,
    /// The actions.
    children: Children,
) -> impl IntoView {
    let details = NodeRef::<leptos::html::Details>::new();
    let close = move |refocus: bool| {
        if let Some(details) = details.get_untracked().filter(web_sys::HtmlDetailsElement::open) {
            details.set_open(false);
            if let (true, Ok(Some(summary))) = (refocus, details.query_selector("summary")) {
                // A summary can always take focus.
                let _ = summary.unchecked_into::<web_sys::HtmlElement>().focus();
            }
        }
    };
    Effect::new(move || {
        let clicks = window_event_listener(ev::click, move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
            let inside = details.get_untracked().is_some_and(|details| details.contains(target.as_ref()));
            if !inside {
                close(false);
            }
        });
        let keys = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" {
                close(true);
            }
        });
        on_cleanup(move || {
            clicks.remove();
            keys.remove();
        });
    });
    // A button that says what it is needs no other name.
    let name = button.is_none().then_some(label);
    view! {
        <details class="menu" node_ref=details>
            <summary class=button_class aria-label=name>
                {button.unwrap_or_else(|| view! { <Icon glyph=Glyph::Ellipsis /> }.into_any())}
            </summary>
            <div
                class=format!("menu-items {place}")
                on:click=move |event| {
                    let chosen = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
                    if chosen.and_then(|chosen| chosen.closest(".menu-item:not(summary)").ok().flatten()).is_some() {
                        close(false);
                    }
                }
            >
                {children()}
            </div>
        </details>
    }
    .into_any()
}
