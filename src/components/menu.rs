use leptos::{ev, prelude::*, wasm_bindgen::JsCast, web_sys};

use super::{Glyph, Icon, browser};

/// A button with three dots that opens a list of actions. Escape, a click outside and a choice close it. Works without
/// scripts too, unless it is rendered on demand.
#[component]
pub fn Menu(
    /// The accessible name of the button.
    #[prop(into)]
    label: String,
    /// The classes that position the list.
    #[prop(default = "right-0 top-full")]
    placement: &'static str,
    /// The content of the button, which is also its accessible name; three dots by default.
    #[prop(optional)]
    button: Option<AnyView>,
    /// The class of the button.
    #[prop(default = "icon-btn")]
    button_class: &'static str,
    /// The icon of a button without content of its own.
    #[prop(default = Glyph::Ellipsis)]
    glyph: Glyph,
    /// Whether the actions are only rendered while the menu is open, as in long lists. Such a menu is only shown if
    /// scripts are enabled.
    #[prop(default = false)]
    on_demand: bool,
    /// The actions.
    children: ChildrenFn,
) -> impl IntoView {
    let details = NodeRef::<leptos::html::Details>::new();
    let is_open = RwSignal::new(false);
    let close = move |refocus: bool| {
        if let Some(details) = details.get_untracked().filter(web_sys::HtmlDetailsElement::open) {
            details.set_open(false);
            if let (true, Ok(Some(summary))) = (refocus, details.query_selector("summary")) {
                browser::focus(&summary);
            }
        }
    };
    let read_state = move || is_open.set(details.get().is_some_and(|details| details.open()));
    // It may have been opened before the scripts ran.
    Effect::new(read_state);
    Effect::new(move || {
        if !is_open.get() {
            return;
        }
        let clicks = window_event_listener(ev::click, move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
            let inside = details.get_untracked().is_some_and(|details| details.contains(target.as_ref()));
            if !inside {
                close(false);
            }
        });
        let keys = window_event_listener(ev::keydown, move |event| match event.key().as_str() {
            "Escape" => close(true),
            key @ ("ArrowDown" | "ArrowUp" | "Home" | "End") => {
                if let Some(details) = details.get_untracked()
                    && browser::focus_menu_item(&details, key)
                {
                    event.prevent_default();
                }
            }
            _ => {}
        });
        on_cleanup(move || {
            clicks.remove();
            keys.remove();
        });
    });
    // A button with its own content needs no label.
    let name = button.is_none().then_some(label);
    let tooltip = name.clone();
    view! {
        <details
            class="menu"
            class:js-only=on_demand
            node_ref=details
            on:toggle=move |_| untrack(read_state)
        >
            <summary class=button_class aria-label=name title=tooltip aria-haspopup="true">
                {button.unwrap_or_else(|| view! { <Icon glyph /> }.into_any())}
            </summary>
            <div
                class=format!("menu-items {placement}")
                on:click=move |event| {
                    let chosen = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
                    if chosen.and_then(|chosen| chosen.closest(".menu-item:not(summary, .menu-form *)").ok().flatten()).is_some() {
                        close(false);
                    }
                }
            >
                <Show when=move || !on_demand || is_open.get()>{children()}</Show>
            </div>
        </details>
    }
    .into_any()
}
