use leptos::{html::Dialog, prelude::*, wasm_bindgen::JsCast, web_sys};

/// A dialog in the middle of the window. It keeps the focus; Escape, a click beside it and a link inside close it.
#[component]
pub fn Modal(
    /// Whether it is open; set to false when it closes.
    open: RwSignal<bool>,
    /// The accessible name.
    label: &'static str,
    /// The content, built each time it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            // Fails only for an element that is not in the document.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let on_click = move |event: web_sys::MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let closes = |target: web_sys::Element| {
            target.tag_name() == "DIALOG" || target.closest("a, [data-closes]").ok().flatten().is_some()
        };
        if target.is_some_and(closes) {
            open.set(false);
        }
    };
    view! {
        <dialog class="modal" aria-label=label node_ref=dialog on:close=move |_| open.set(false) on:click=on_click>
            {move || open.get().then(|| view! { <div class="modal-content">{children()}</div> })}
        </dialog>
    }
    .into_any()
}
