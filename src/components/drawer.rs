use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::{JsCast, JsValue},
    web_sys,
};

/// A dialog that comes in from the side. Traps focus; closes by Escape, by a click beside it, by following a link,
/// and by the back button, for which it is an entry in the history.
#[component]
pub fn Drawer(
    /// Whether it is open; set to false when it closes.
    open: RwSignal<bool>,
    /// What it is, for those who do not see it.
    label: &'static str,
    /// Its content, made when it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    // The entry in the history is left alone when a link has taken its place.
    let entered = StoredValue::new(false);
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => {
                // Fails only on an element outside of the document.
                let _ = dialog.show_modal();
                entered.set_value(push_entry());
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let back = window_event_listener(ev::popstate, move |_| {
        if open.get_untracked() {
            entered.set_value(false);
            open.set(false);
        }
    });
    on_cleanup(move || back.remove());
    let on_close = move |_| {
        open.set(false);
        if entered.get_value() {
            entered.set_value(false);
            go_back();
        }
    };
    let on_click = move |event: web_sys::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let Some(target) = target else { return };
        if let Some(link) = target.closest("a").ok().flatten() {
            let leads_here = link.unchecked_into::<web_sys::HtmlAnchorElement>().href() == here();
            if leads_here {
                event.prevent_default();
            } else {
                entered.set_value(false);
            }
            open.set(false);
        } else if target.tag_name() == "DIALOG" {
            open.set(false);
        }
    };
    view! {
        <dialog class="drawer" aria-label=label node_ref=dialog on:close=on_close on:click=on_click>
            <Show when=move || open.get()>{children()}</Show>
        </dialog>
    }
    .into_any()
}

fn push_entry() -> bool {
    let history = window().history();
    history.is_ok_and(|h| h.push_state_with_url(&JsValue::NULL, "", Some(&here())).is_ok())
}

fn here() -> String {
    location().href().unwrap_or_default()
}

fn go_back() {
    if let Ok(history) = window().history() {
        // Fails only in a document that is not shown any more.
        let _ = history.back();
    }
}
