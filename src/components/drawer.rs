use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::{JsCast, JsValue},
    web_sys,
};

/// A modal dialog at the side of the screen. It traps focus. Escape, a click outside, a link inside and the back button
/// close it; for the back button it pushes an entry to the history.
#[component]
pub fn Drawer(
    /// Whether it is open; set to false when it closes.
    open: RwSignal<bool>,
    /// The accessible name.
    label: &'static str,
    /// The content, built each time it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    // Whether our history entry is the current one. Not after a link was followed: its page is current then.
    let has_history_entry = StoredValue::new(false);
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => {
                // Fails only for an element that is not in the document.
                let _ = dialog.show_modal();
                has_history_entry.set_value(push_history_entry());
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let back = window_event_listener(ev::popstate, move |_| {
        if open.get_untracked() {
            has_history_entry.set_value(false);
            open.set(false);
        }
    });
    on_cleanup(move || back.remove());
    let on_close = move |_| {
        open.set(false);
        if has_history_entry.get_value() {
            has_history_entry.set_value(false);
            go_back();
        }
    };
    let on_click = move |event: web_sys::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let Some(target) = target else { return };
        if let Some(link) = target.closest("a").ok().flatten() {
            let is_same_page = link.unchecked_into::<web_sys::HtmlAnchorElement>().href() == current_url();
            if is_same_page {
                event.prevent_default();
            } else {
                has_history_entry.set_value(false);
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

fn push_history_entry() -> bool {
    let history = window().history();
    history.is_ok_and(|h| h.push_state_with_url(&JsValue::NULL, "", Some(&current_url())).is_ok())
}

fn current_url() -> String {
    location().href().unwrap_or_default()
}

fn go_back() {
    if let Ok(history) = window().history() {
        // Fails only if the document is not active any more.
        let _ = history.back();
    }
}
